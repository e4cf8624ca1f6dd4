"""Characters: each one that the training text holds is a token."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.tokenizer.tokenizer import SHOWN, Special, Tokenizer, numbered

_UNICODE = 0x110000  # code points there are
_CHUNK = 1 << 24  # characters at once: four bytes each while they are looked up


class Char(Tokenizer):
    """A token a character, in the order of their code points.

    Args:
        special: tokens beside the characters. With `unknown`, characters that only
            held-out texts have get it; without, such a text is refused.
    """

    kind = "char"

    def __init__(self, *, special: tuple[Special, ...]) -> None:
        super().__init__()
        self.names = special
        self.characters = ""

    @property
    @override
    def vocabulary_size(self) -> int:
        return len(self.characters) + len(self.special)

    @override
    def train(self, texts: Iterable[str]) -> None:
        found: set[str] = set()
        for text in texts:
            found |= set(text)
        self._take("".join(sorted(found)))

    @override
    def unseen(self, text: str) -> list[str]:
        return sorted(set(text) - set(self.characters))

    @override
    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self._shown[index] for index in ids)

    @override
    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "characters": self.characters,
            "special": list(self.special),
        }

    @classmethod
    @override
    def restore(cls, state: dict[str, Any]) -> Self:
        tokenizer = cls(special=tuple(state["special"]))
        tokenizer._take(state["characters"])
        return tokenizer

    @override
    def _ids(self, text: str) -> NDArray[Any]:
        chunks = [
            self._look_up(text[start : start + _CHUNK])
            for start in range(0, len(text), _CHUNK)
        ]
        return np.concatenate(chunks) if chunks else np.zeros(0, dtype=self.dtype)

    def _look_up(self, text: str) -> NDArray[Any]:
        ids = self._table[np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)]
        if (ids < 0).any():
            raise UserError(self._sentence(text))
        return ids.astype(self.dtype)

    def _take(self, characters: str) -> None:
        self.characters = characters
        self.special = numbered(self.names, start=len(characters))
        self._shown = [*characters, *(SHOWN[name] for name in self.names)]
        codes = [ord(character) for character in characters]
        self._table = np.full(_UNICODE, self.special.get("unknown", -1), dtype=np.int32)
        self._table[codes] = np.arange(len(characters))
        self.is_trained = True
