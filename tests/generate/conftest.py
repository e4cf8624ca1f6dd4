"""A language model small enough to check by hand, and a tokenizer of letters."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from nnlab.errors import UserError

LETTERS = "abcdefgh"


class SumCache:
    """The sum that each text has come to, and the tokens it is a sum of."""

    def __init__(self, *, rows: int, size: int, stride: int) -> None:
        self.total = torch.zeros(rows, size, dtype=torch.float64)
        self.window = torch.zeros(rows, 0, dtype=torch.int64)
        self.stride = stride

    def select(self, rows: Tensor) -> None:
        self.total, self.window = self.total[rows], self.window[rows]


class SumModel(nn.Module):
    """Scores by the sum of all tokens so far, each told by its place: a Transformer's
    dependence on the whole window, its order included, without the Transformer.
    """

    def __init__(self, *, vocabulary_size: int, context_size: int | None) -> None:
        super().__init__()
        torch.manual_seed(vocabulary_size)
        size = 16
        self.context_size = context_size
        self.words = torch.randn(vocabulary_size, size, dtype=torch.float64)
        self.places = torch.randn(512, size, dtype=torch.float64)
        self.out = torch.randn(size, vocabulary_size, dtype=torch.float64)
        self.device = torch.device("cpu")
        self.read = 0  # tokens, over all calls

    def new_cache(self, batch_size: int, *, stride: int | None = None) -> SumCache:
        assert stride is not None
        return SumCache(rows=batch_size, size=16, stride=stride)

    def forward(self, tokens: Tensor, cache: SumCache | None = None) -> Tensor:
        if cache is None:
            return self._logits(tokens, torch.zeros(1, 16), 0)[0]
        steps = [self._step(tokens[:, [i]], cache) for i in range(tokens.shape[1])]
        return torch.cat(steps, dim=1)

    def _step(self, token: Tensor, cache: SumCache) -> Tensor:
        if cache.window.shape[1] == self.context_size:
            kept = cache.window[:, cache.stride :]
            cache.window = kept[:, :0]
            cache.total = torch.zeros_like(cache.total)
            token = torch.cat([kept, token], dim=1)
        logits, cache.total = self._logits(token, cache.total, cache.window.shape[1])
        cache.window = torch.cat([cache.window, token], dim=1)
        return logits[:, -1:]

    def _logits(
        self, tokens: Tensor, total: Tensor, first: int
    ) -> tuple[Tensor, Tensor]:
        time = tokens.shape[1]
        assert self.context_size is None or first + time <= self.context_size
        self.read += time
        x = self.words[tokens] * self.places[first : first + time]
        sums = total[:, None] + x.cumsum(1)  # (batch, time, size)
        return sums.sin() @ self.out, sums[:, -1]


class Letters:
    """One token a letter; the last id ends a text."""

    def __init__(self, letters: str = LETTERS, *, has_end: bool = False) -> None:
        self.letters = letters
        self.special = {"end_of_text": len(letters)} if has_end else {}

    def encode(self, text: str) -> list[int]:
        for letter in text:
            if letter not in self.letters:
                raise UserError(f"{letter!r} is not among the characters trained on")
        return [self.letters.index(letter) for letter in text]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join((self.letters + "$")[each] for each in ids)


@pytest.fixture
def model() -> SumModel:
    """Eight letters, ten of them in view."""
    return SumModel(vocabulary_size=8, context_size=10)


@pytest.fixture
def tiny_model() -> SumModel:
    """Four tokens, no limit."""
    return SumModel(vocabulary_size=4, context_size=None)


@pytest.fixture
def letters() -> Letters:
    return Letters()
