"""What a constructor's numbers may be, as types; `build` checks them before it calls.

def __init__(self, *, heads: Count, dropout: Share) -> None:
"""

from typing import Annotated

from annotated_types import Interval

# A million units in one layer is beyond any machine that runs this, and a typing slip.
Count = Annotated[int, Interval(ge=1, le=1_000_000)]
Natural = Annotated[int, Interval(ge=0, le=2**62)]
Share = Annotated[float, Interval(ge=0, lt=1)]
Positive = Annotated[float, Interval(gt=0, le=1e12)]
NonNegative = Annotated[float, Interval(ge=0, le=1e12)]


def must_divide(name: str, part: int, whole_name: str, whole: int) -> None:
    """Raise ValueError where the part does not divide the whole; both are a model's."""
    if whole % part:
        divisors = [n for n in range(1, whole + 1) if whole % n == 0]
        fits = min(divisors, key=lambda n: abs(n - part))
        raise ValueError(
            f"model.{name}={part} does not divide model.{whole_name}={whole}; "
            f"try {fits}"
        )
