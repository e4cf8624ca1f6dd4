"""Bytes: the 256 values of UTF-8's bytes are the tokens; nothing is trained."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from nnlab.tokenizer.tokenizer import SHOWN, Special, Tokenizer, numbered

_BYTES = 256


class Byte(Tokenizer):
    """A token a byte: any text, no unknown; a character takes one to four.

    Args:
        special: tokens beside the bytes.
    """

    kind = "byte"

    def __init__(self, *, special: tuple[Special, ...]) -> None:
        super().__init__()
        self.special = numbered(special, start=_BYTES)
        self._shown = [bytes([value]) for value in range(_BYTES)]
        self._shown += [SHOWN[name].encode() for name in dict.fromkeys(special)]
        self.is_trained = True

    @property
    @override
    def vocabulary_size(self) -> int:
        return _BYTES + len(self.special)

    @override
    def train(self, texts: Iterable[str]) -> None:
        """Nothing to do."""

    @override
    def decode(self, ids: Sequence[int]) -> str:
        return b"".join(self._shown[index] for index in ids).decode(errors="replace")

    @override
    def state(self) -> dict[str, Any]:
        return {"kind": self.kind, "special": list(self.special)}

    @classmethod
    @override
    def restore(cls, state: dict[str, Any]) -> Self:
        return cls(special=tuple(state["special"]))

    @override
    def _ids(self, text: str) -> NDArray[Any]:
        return np.frombuffer(text.encode(), dtype=np.uint8)
