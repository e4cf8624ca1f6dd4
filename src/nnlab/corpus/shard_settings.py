"""The numbers of `data.shard`."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Interval

from nnlab.limits import Share


@dataclass(frozen=True, kw_only=True)
class ShardSettings:
    """How tokens are split, shuffled and cut into files.

    Args:
        tokens: of a shard, about: documents stay whole.
        validation_share: of the hosts, or pages.
        keeps_together: what is never on both sides: all pages of a host, or only a page
            (where all pages are of one host).
        vocabulary_characters: of the training text, that a tokenizer is trained on.
    """

    tokens: Annotated[int, Interval(ge=1_000, le=2_000_000_000)]
    validation_share: Share
    keeps_together: Literal["host", "page"]
    vocabulary_characters: Annotated[int, Interval(ge=1_000, le=2_000_000_000)]
