"""What a model sees of a growing text: its last tokens, each read once."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nnlab.generate.language_model import LanguageModel


class Window:
    """Texts that grow by a token at a time, and the part of them that the model sees.

    A window that is full moves on by `slide` positions at once. Learned positions give
    every token in it another vector then, and deeper layers hold what the dropped tokens
    left there, so the rest is read anew: once in `slide` tokens. At 1 that is nanoGPT's
    way, which reads the whole window for each token. Where the window begins is a
    function of the text's length alone, so it is the same with a cache and without.

    Args:
        prompt: the texts' beginnings, of one length.
        room: how many tokens may follow.
        is_cached: whether to use the model's cache, if it has one.
    """

    def __init__(
        self,
        model: LanguageModel,
        prompt: Int[Tensor, "rows time"],
        *,
        room: int,
        slide: int | None,
        is_cached: bool = True,
    ) -> None:
        rows, self.length = prompt.shape
        self.model, self.is_cached = model, is_cached
        self.slide = slide or max(1, (model.context_size or 4) // 4)
        self.tokens = prompt.new_empty(rows, self.length + room)
        self.tokens[:, : self.length] = prompt
        self._start = self._read = -1  # nothing yet
        self._cache = None

    def logits(self) -> Float[Tensor, "rows vocabulary"]:
        """Score the token that follows each text."""
        start = self._first_seen()
        if start != self._start:
            self._start = self._read = start
            rows = len(self.tokens)
            self._cache = self.model.new_cache(rows) if self.is_cached else None
        if self._cache is None:
            return self.model(self.tokens[:, start : self.length])[:, -1]
        unread = self.tokens[:, self._read : self.length]
        self._read = self.length
        return self.model(unread, self._cache)[:, -1]

    def append(self, token: Int[Tensor, " rows"]) -> None:
        """Let each text grow by its token."""
        self.tokens[:, self.length] = token
        self.length += 1

    def select(self, rows: Int[Tensor, " rows"]) -> None:
        """Go on with these texts, in this order; one may go on as several."""
        self.tokens[:, : self.length] = self.tokens[rows, : self.length]
        if self._cache is not None:
            self._cache.select(rows)

    @property
    def text(self) -> Int[Tensor, "rows length"]:
        """All of the texts so far, what the model no longer sees included."""
        return self.tokens[:, : self.length]

    def _first_seen(self) -> int:
        size = self.model.context_size
        if size is None or self.length <= size:
            return 0
        return self.slide * -((size - self.length) // self.slide)


def same_prompt(tokens: list[int], rows: int, like: Tensor) -> Int[Tensor, "rows time"]:
    """Return a prompt as the beginning of so many texts, where `like` lies."""
    prompt = torch.tensor(tokens, dtype=torch.long, device=like.device)
    return prompt.expand(rows, -1)
