"""What a user may set of the way a text is generated."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval

from nnlab.limits import Count, NonNegative


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a text is generated; the defaults' one home. `speak` checks the ranges.

    Args:
        max_tokens: how many tokens follow the prompt, at most.
        temperature: divides the logits: below 1 bolder, above 1 more varied, 0 greedy.
        top_k: only the k most probable tokens are drawn from.
        top_p: only the fewest tokens that hold this share of the probability.
        repetition_penalty: above 1: tokens that the text has already are less probable.
        beams: searches the most probable text, with so many candidates; draws nothing.
        samples: how many texts or images (64); text i of seed s is that of seed s + i.
        seed: of the draws.
        stride: tokens that a full context moves on by at once; 1 keeps the most of it,
            and reads all of it again for each token; None: a quarter.
    """

    max_tokens: Count = 500
    temperature: NonNegative = 0.8
    top_k: Count | None = None
    top_p: Annotated[float, Interval(gt=0, le=1)] = 1.0
    repetition_penalty: Annotated[float, Interval(ge=0.01, le=100)] = 1.0
    beams: Annotated[int, Interval(ge=1, le=1024)] | None = None
    samples: Count = 1
    seed: Annotated[int, Interval(ge=0, le=2**53)] = 0
    stride: Count | None = None

    @property
    def is_greedy(self) -> bool:
        """Whether the most probable token is taken: two limits of drawing are that."""
        # Divided by less than this, logits may be no finite numbers any more.
        return self.temperature < 1e-6 or self.top_k == 1
