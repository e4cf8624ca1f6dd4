"""Which tokens attention may see: those before, or of these only its own document's.

Documents follow each other in a window, each ended by end-of-text. Kept apart, each is
read as if it stood alone: no token sees another document, and positions begin anew, as
in Krell, Kosec, Perez & Fitzgibbon (2021), "Efficient Sequence Packing without
Cross-contamination", https://arxiv.org/abs/2107.02027.
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn import functional as F

PerToken = Int[Tensor, "batch time"]


def looking_back(time: int, seen: int, like: Tensor) -> Bool[Tensor, "time seen"]:
    """Return which of the `seen` tokens the last `time` may see: none after itself."""
    return like.new_ones(time, seen, dtype=torch.bool).tril(seen - time)


def documents_of(tokens: PerToken, end_of_text: int) -> PerToken:
    """Return the number of each token's document in its window, from 0.

    An end-of-text is the last token of its document.
    """
    ends = (tokens == end_of_text).long()
    return ends.cumsum(dim=1) - ends


def places_within(documents: PerToken) -> PerToken:
    """Return how many tokens of its own document stand before each."""
    place = torch.arange(documents.shape[1], device=documents.device)
    is_first = F.pad(documents.diff(dim=1) != 0, (1, 0), value=True)
    return place - torch.where(is_first, place, 0).cummax(dim=1).values


def within_documents(documents: PerToken) -> Bool[Tensor, "batch 1 time time"]:
    """Return which tokens each may see: of its document, none after itself."""
    return (documents[:, :, None] == documents[:, None, :]).tril()[:, None]
