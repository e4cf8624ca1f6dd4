"""What a user may set of the way a text is generated."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval

from nnlab.limits import Count, NonNegative, Positive


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a text is generated; the defaults' one home. `speak` checks the ranges.

    Args:
        max_tokens: how many tokens follow the prompt, at most.
        temperature: divides the logits: below 1 bolder, above 1 more varied, 0 greedy.
        top_k: only the k most probable tokens are drawn from.
        top_p: only the fewest tokens that hold this share of the probability.
        repetition_penalty: above 1: tokens that the text has already are less probable.
        beams: search the most probable text, with so many candidates, instead of drawing.
        samples: how many texts; sample i of seed s is the one sample of seed s + i.
        seed: of the draws.
        slide: positions that a full context window moves on by at once; 1 keeps the
            most context, and reads all of it again for each token; None: a quarter.
    """

    max_tokens: Count = 500
    temperature: NonNegative = 0.8
    top_k: Count | None = None
    top_p: Annotated[float, Interval(gt=0, le=1)] = 1.0
    repetition_penalty: Positive = 1.0
    beams: Count | None = None
    samples: Count = 1
    seed: Annotated[int, Interval(ge=0, le=2**53)] = 0
    slide: Count | None = None

    @property
    def is_greedy(self) -> bool:
        """Whether the most probable token is taken: two limits of drawing are that."""
        return self.temperature == 0 or self.top_k == 1
