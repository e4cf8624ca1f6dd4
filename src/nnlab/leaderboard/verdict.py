"""What the seeds allow to say of the first entry against the second, in a sentence."""

from collections.abc import Sequence
from itertools import pairwise

from nnlab.leaderboard.entries import Entry
from nnlab.leaderboard.statistics import Mean, paired_difference
from nnlab.leaderboard.table import mean_text

TIES = "of equal means, fewer parameters come first, then less training"


def has_ties(entries: Sequence[Entry]) -> bool:
    """Tell whether two ranked entries have the same mean, to the last digit."""
    means = [entry.mean.value for entry in entries if entry.mean is not None]
    return any(one == other for one, other in pairwise(means))


def verdict_sentence(entries: Sequence[Entry], metric: str) -> str:
    """Say of the first against the second what the seeds allow to say.

    Paired by seed. Where one seed is all there is, or the interval holds zero, it is
    said that this is no proof.
    """
    finished = [entry for entry in entries if entry.mean is not None]
    if len(finished) < 2:
        only = finished[0].name if finished else "nothing"
        return f"{only} is complete; there is nothing to compare it with"
    data = dict.fromkeys(entry.data for entry in finished)
    if len(data) > 1:
        named = ", ".join(f"data={name}" for name in data)
        return f"these were tested on different data ({named}): no one is the better"
    first, second = finished[:2]
    found = paired_difference(first.values, second.values)
    if found is None:
        return (
            f"{first.name} and {second.name} share no seed, so they are not compared "
            "pair by pair"
        )
    if found.mean.value == 0 and not found.mean.half_width:
        more = [each.name for each in finished[2:] if each.values == first.values]
        *others, last = first.name, second.name, *more
        names = f"{', '.join(others)} and {last}"
        return f"{names} are equal in {metric}, to the last digit"
    verb = "is better than" if found.is_significant else "is ahead of"
    said = f"{first.name} {verb} {second.name} by {_gap(metric, found.mean)}"
    if found.p is None:
        return (
            f"{said} on one seed, which says nothing about chance; repeat it with "
            "seeds 1 to 5"
        )
    if found.is_significant:
        p = f"p = {found.p:.2g}" if found.p > 1e-4 else "p < 0.0001"
        return f"{said}: significant, {p}"
    return f"{said}: not significant, p = {found.p:.2g}; this may be chance"


def _gap(metric: str, mean: Mean) -> str:
    """Return how far ahead, and by what that is judged: its spread, else its sign."""
    size = abs(mean.value)
    if mean.half_width == 0:
        said = mean_text(metric, Mean(size, None, mean.count))
        return f"{said} on each of {mean.count} seeds (judged by its sign)"
    said = mean_text(metric, Mean(size, mean.half_width, mean.count))
    if mean.count == 1:
        return said
    return f"{said} (95 % interval, {mean.count} seeds paired)"
