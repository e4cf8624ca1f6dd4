"""Means over seeds with their intervals, and whether a difference may be chance.

Student's t: the interval of a mean over few seeds is wide, and honestly so (2 seeds:
12.7 standard errors, 5 seeds: 2.8). Two entries are compared on the seeds they share,
pair by pair (Student 1908): what a seed does to both of them cancels. Of pairs with
one and the same difference, each sign is a coin's (Arbuthnot 1710).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from nnlab.leaderboard.student import p_value, quantile

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Mean:
    """A mean over `count` values, and half its 95 % interval: None for one value."""

    value: float
    half_width: float | None
    count: int


@dataclass(frozen=True)
class Difference:
    """One entry's metric minus another's, over the seeds that both have.

    Attributes:
        mean: with its interval, in the metric's unit.
        p: how likely so large a mean difference is if there were none; None where that
            cannot be said of so few seeds.
    """

    mean: Mean
    p: float | None

    @property
    def is_significant(self) -> bool:
        return self.p is not None and self.p < 1 - CONFIDENCE


def mean_of(values: Sequence[float]) -> Mean:
    """Return the mean of values with its 95 % confidence interval.

    Raises:
        ValueError: of no values.
    """
    if not values:
        raise ValueError("there is no mean of no values")
    count, mean = len(values), fmean(values)
    if count < 2:
        return Mean(mean, None, count)
    return Mean(mean, quantile(CONFIDENCE, count - 1) * _error(values), count)


def paired_difference(
    one: Mapping[int, float], other: Mapping[int, float]
) -> Difference | None:
    """Return the difference of two metrics by seed; None where no seed is shared."""
    shared = sorted(one.keys() & other.keys())
    if not shared:
        return None
    gaps = [one[seed] - other[seed] for seed in shared]
    mean = mean_of(gaps)
    if mean.half_width is None:
        return Difference(mean, None)
    if mean.half_width == 0:  # no spread to judge it by: the sign test has its say
        return Difference(mean, 2.0 ** (1 - len(gaps)) if mean.value else 1.0)
    return Difference(mean, p_value(mean.value / _error(gaps), len(gaps) - 1))


def _error(values: Sequence[float]) -> float:
    """Return the standard error of a mean; not a number where a value is infinite."""
    if not all(map(math.isfinite, values)):
        return math.nan
    return stdev(values) / math.sqrt(len(values))
