"""Tokenizer: the one base class of what turns text into numbers and back."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from nnlab.errors import UserError

Special = Literal["unknown", "end_of_text", "padding", "mask"]
Ids = NDArray[np.uint16] | NDArray[np.uint32]

# How a special token is shown. No text is ever encoded to one, not even this one.
SHOWN: dict[Special, str] = {
    "unknown": "<|unknown|>",
    "end_of_text": "<|endoftext|>",
    "padding": "<|padding|>",
    "mask": "<|mask|>",
}


class Tokenizer(ABC):
    """Text to token ids and back, in a vocabulary that may have to be trained first.

    `decode(encode(text)) == text` holds for every text that `encode` accepts, whatever
    the kind; what a tokenizer has no token for, `encode` refuses by name.

    Attributes:
        kind: names the class in a checkpoint, and is its option in conf/tokenizer.
        special: ids by name: unknown, end_of_text, padding, mask, where there are such.
        is_trained: whether it can encode.
    """

    kind: ClassVar[str]

    def __init__(self) -> None:
        self.special: dict[str, int] = {}
        self.is_trained = False

    @property
    @abstractmethod
    def vocabulary_size(self) -> int:
        """How many ids there are, special ones included."""

    @abstractmethod
    def train(self, texts: Iterable[str]) -> None:
        """Make the vocabulary from these texts alone; the same texts give the same.

        Raises:
            UserError: where they cannot give what was asked for.
        """

    @abstractmethod
    def decode(self, ids: Sequence[int]) -> str:
        """Return the text; special tokens are shown as `<|…|>`, broken bytes as �."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return plain containers, `kind` among them, for the checkpoint."""

    @classmethod
    @abstractmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return the tokenizer whose `state` this was."""

    @abstractmethod
    def _ids(self, text: str) -> NDArray[Any]:
        """Return the ids of a text that is valid Unicode."""

    def unseen(self, text: str) -> list[str]:
        """Return the characters, or words, that there is no token for."""
        return []

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text that a person wrote.

        Raises:
            UserError: naming what the tokenizer has never seen. It is not encoded to
                the unknown token: that one stands for what held-out texts bring.
        """
        ids = self.encode_array(text)
        if "unknown" in self.special and (ids == self.special["unknown"]).any():
            raise UserError(self._sentence(text))
        return ids.tolist()

    def encode_array(self, text: str) -> Ids:
        """Return the ids as compactly as they fit, unknown ones where there is one.

        Raises:
            UserError: naming what there is no token for, nor an unknown token; or where
                the text is not valid Unicode.
        """
        assert self.is_trained
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise UserError(
                f"the text holds {text[error.start]!r} at character {error.start}, "
                "half a character that UTF-8 does not have; give valid UTF-8"
            ) from error
        return self._ids(text).astype(self.dtype, copy=False)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest type that holds every id."""
        return np.dtype(np.uint16 if self.vocabulary_size <= 1 << 16 else np.uint32)

    def fingerprint(self) -> str:
        """Return a hash that is the same for tokenizers that do the same."""
        return hashlib.sha256(json.dumps(self.state()).encode()).hexdigest()

    def _sentence(self, text: str) -> str:
        unseen = self.unseen(text)
        more = f" and {len(unseen) - 10} more" if len(unseen) > 10 else ""
        return (
            f"the text holds what tokenizer={self.kind} has never seen: "
            f"{', '.join(map(repr, unseen[:10]))}{more} (tokenizer=byte takes any text)"
        )


def numbered(names: Iterable[Special], *, start: int) -> dict[str, int]:
    """Return ids for special tokens, in their order, each once."""
    return {name: start + index for index, name in enumerate(dict.fromkeys(names))}
