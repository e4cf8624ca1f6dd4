"""Half bytes: each byte of UTF-8 is two tokens, of which there are sixteen."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from nnlab.tokenizer.tokenizer import Tokenizer


class MyPlugin(Tokenizer):
    """Any text, nothing unknown, nothing to train."""

    kind = "my_plugin"

    def __init__(self) -> None:
        super().__init__()
        self.is_trained = True

    @property
    @override
    def vocabulary_size(self) -> int:
        return 16

    @override
    def train(self, texts: Iterable[str]) -> None:
        """Nothing to do."""

    @override
    def decode(self, ids: Sequence[int]) -> str:
        pairs = zip(ids[::2], ids[1::2], strict=False)
        return bytes(16 * high + low for high, low in pairs).decode(errors="replace")

    @override
    def state(self) -> dict[str, Any]:
        return {"kind": self.kind}

    @classmethod
    @override
    def restore(cls, state: dict[str, Any]) -> Self:
        return cls()

    @override
    def _ids(self, text: str) -> NDArray[Any]:
        values = np.frombuffer(text.encode(), dtype=np.uint8)
        return np.stack([values // 16, values % 16], axis=1).reshape(-1)
