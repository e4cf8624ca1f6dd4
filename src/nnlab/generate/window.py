"""What a model sees of a growing text: its last tokens, each read once."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nnlab.generate.language_model import LanguageModel


class Window:
    """Texts that grow by a token at a time, and the part of them that the model sees.

    That is the whole text while it fits the model's context. Beyond, it begins at the
    first multiple of `stride` for which it fits: a function of the text's length alone,
    and so the same with a cache and without. A stride of 1 is nanoGPT's way: the most
    context, and all of it read again for each token.

    Args:
        prompt: the texts' beginnings, of one length.
        room: how many tokens may follow.
        stride: None: a quarter of the context.
        never: tokens that are no text, and are given no chance.
        is_cached: whether to use the model's cache, if it has one.
    """

    def __init__(
        self,
        model: LanguageModel,
        prompt: Int[Tensor, "rows time"],
        *,
        room: int,
        stride: int | None,
        never: Sequence[int] = (),
        is_cached: bool = True,
    ) -> None:
        rows, self.length = prompt.shape
        self.model = model
        self.never = torch.tensor(never, dtype=torch.long, device=prompt.device)
        size = model.context_size or 4
        self.stride = min(stride, size) if stride else max(1, size // 4)
        self.tokens = prompt.new_empty(rows, self.length + room)
        self.tokens[:, : self.length] = prompt
        self.cache = model.new_cache(rows, stride=self.stride) if is_cached else None
        self.read = self.start  # a cache need not see what it would drop at once

    @property
    def text(self) -> Int[Tensor, "rows length"]:
        """All of the texts so far, what the model no longer sees included."""
        return self.tokens[:, : self.length]

    @property
    def start(self) -> int:
        """Where the part that the model sees begins."""
        size = self.model.context_size
        if size is None or self.length <= size:
            return 0
        return self.stride * -((size - self.length) // self.stride)

    def logits(self) -> Float[Tensor, "rows vocabulary"]:
        """Score the token that follows each text."""
        if self.cache is None:
            logits = self.model(self.text[:, self.start :])
        else:
            unread, self.read = self.text[:, self.read :], self.length
            logits = self.model(unread, self.cache)
        logits = logits[:, -1].float()
        return (
            logits.index_fill(1, self.never, -torch.inf) if len(self.never) else logits
        )

    def append(self, token: Int[Tensor, " rows"]) -> None:
        """Let each text grow by its token."""
        self.tokens[:, self.length] = token
        self.length += 1

    def select(self, rows: Int[Tensor, " rows"]) -> None:
        """Go on with these texts, in this order; one may go on as several."""
        self.tokens[:, : self.length] = self.tokens[rows, : self.length]
        if self.cache is not None:
            self.cache.select(rows)


def same_prompt(
    tokens: list[int], rows: int, device: torch.device
) -> Int[Tensor, "rows time"]:
    """Return a prompt as the beginning of so many texts."""
    return torch.tensor(tokens, dtype=torch.long, device=device).expand(rows, -1)
