"""What tokenizers of words and their parts share: a list of pieces, and its use."""

import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.limits import Count
from nnlab.tokenizer._library import tokenizers_library
from nnlab.tokenizer.tokenizer import SHOWN, Special, Tokenizer, numbered

# A word, or a sign, with the space before it, else one white space: nothing is left
# out, so that the words of a text, put together, are the text.
WORD = re.compile(r" ?\w+| ?[^\w\s]|\s")
UNKNOWN = SHOWN["unknown"]
_BATCH = 10_000  # words handed over at once


class Pieces(Tokenizer):
    """Words, each as the pieces of a vocabulary that Hugging Face's library trains.

    A kind answers two questions: `_learn(words)`, which pieces are there; and
    `_model()`, how is a word cut into them.

    Args:
        vocabulary_size: pieces and special tokens together, at most.
        special: `unknown` must be among them, for what training did not bring.
    """

    def __init__(self, *, vocabulary_size: Count, special: tuple[Special, ...]) -> None:
        super().__init__()
        if "unknown" not in special:
            raise UserError(
                f"tokenizer.special must hold unknown: tokenizer={self.kind} meets "
                "what its training did not bring"
            )
        self.asked = vocabulary_size
        self.special = numbered(special, start=0)
        self.shown = [SHOWN[name] for name in dict.fromkeys(special)]
        self.pieces: list[str] = []  # special ones first, as they are shown
        self.scores: list[float] = []  # where pieces have such

    @abstractmethod
    def _learn(self, words: Iterator[list[str]], library: Any) -> None:
        """Set `pieces`, and `scores`, from batches of words."""

    @abstractmethod
    def _model(self, library: Any) -> Any:
        """Return the library's model made of the pieces."""

    @property
    @override
    def vocabulary_size(self) -> int:
        return len(self.pieces)

    @override
    def train(self, texts: Iterable[str]) -> None:
        words = (WORD.findall(text) for text in texts)
        batches = (
            each[start : start + _BATCH]
            for each in words
            for start in range(0, len(each), _BATCH)
        )
        self._learn(batches, tokenizers_library())
        self._check_room(len(self.pieces))
        self.is_trained = True

    @override
    def unseen(self, text: str) -> list[str]:
        known = set(chain.from_iterable(self.pieces[len(self.special) :]))
        unknown = self.special["unknown"]
        return sorted(set(text) - known) or sorted(
            word for word in set(WORD.findall(text)) if unknown in self._cut(word)
        )

    @override
    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.pieces[index] for index in ids)

    @override
    def state(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "asked": self.asked,
            "pieces": list(self.pieces),
            "scores": list(self.scores),
            "special": list(self.special),
        }

    @classmethod
    @override
    def restore(cls, state: dict[str, Any]) -> Self:
        special = tuple(state["special"])
        tokenizer = cls(vocabulary_size=state["asked"], special=special)
        tokenizer.pieces = list(state["pieces"])
        tokenizer.scores = list(state["scores"])
        tokenizer.is_trained = True
        return tokenizer

    @override
    def _ids(self, text: str) -> NDArray[Any]:
        # Each word is cut once: ten times as fast as handing the text over.
        words = WORD.findall(text)
        cuts = {word: self._cut(word) for word in set(words)}
        ids = chain.from_iterable(map(cuts.__getitem__, words))
        return np.fromiter(ids, dtype=self.dtype)

    def _check_room(self, needed: int) -> None:
        if needed > self.asked:
            raise UserError(
                f"tokenizer.vocabulary_size={self.asked} is too small for the "
                f"characters of the text; give at least {needed}"
            )

    def _cut(self, word: str) -> list[int]:
        return self._cutter.encode(word, add_special_tokens=False).ids

    @cached_property
    def _cutter(self) -> Any:
        library = tokenizers_library()
        return library.Tokenizer(self._model(library))
