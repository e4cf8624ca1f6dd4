"""Learning curves of an entry's runs, and the band that they make over the seeds."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from nnlab.leaderboard.entries import Entry
from nnlab.report.run_reading import RunReading

MOST_POINTS = 120  # a curve on the page; more cannot be told apart
Curve = dict[str, list[float]]


def curves_of(run: RunReading) -> dict[str, Curve]:
    """Return a run's metrics over optimizer steps, thinned, by name."""
    points: dict[str, list[tuple[float, float]]] = {}
    for row in run.rows:
        for name, value in row.items():
            is_metric = name.startswith(("train/", "val/")) and "step" in row
            if is_metric and isinstance(value, int | float) and math.isfinite(value):
                points.setdefault(name, []).append((float(row["step"]), float(value)))
    return {name: _thinned(pairs) for name, pairs in points.items()}


def _thinned(pairs: Sequence[tuple[float, float]]) -> Curve:
    stride = -(-len(pairs) // MOST_POINTS)
    kept = list(pairs[::stride])
    if kept[-1] != pairs[-1]:
        kept.append(pairs[-1])
    return {"steps": [s for s, _ in kept], "values": [_short(v) for _, v in kept]}


def _short(value: float) -> float:
    return float(f"{value:.6g}")  # the page is read by eyes


def bands(entry: Entry) -> dict[str, Curve]:
    """Return for each metric the mean over seeds, and the least and the most.

    Runs are read at the same steps, between their own points along a straight line, and
    only as far as the shortest of them goes.
    """
    curves = [curves_of(run) for run in entry.runs.values()]
    names = sorted({name for curve in curves for name in curve})
    found: dict[str, Curve] = {}
    for name in names:
        mine = [curve[name] for curve in curves if name in curve]
        steps = _common_steps(mine)
        values = [[_value_at(step, curve) for curve in mine] for step in steps]
        found[name] = {
            "steps": steps,
            "mean": [_short(fmean(at_step)) for at_step in values],
            "least": [_short(min(at_step)) for at_step in values],
            "most": [_short(max(at_step)) for at_step in values],
        }
    return found


def _value_at(step: float, curve: Curve) -> float:
    """Return a curve's value, along a straight line between its points."""
    steps, values = curve["steps"], curve["values"]
    after = bisect_right(steps, step)
    if after in (0, len(steps)):  # before the first point, at the last, or beyond it
        return values[max(after - 1, 0)]
    share = (step - steps[after - 1]) / (steps[after] - steps[after - 1])
    return values[after - 1] + share * (values[after] - values[after - 1])


def _common_steps(curves: Sequence[Curve]) -> list[float]:
    first = max(curve["steps"][0] for curve in curves)
    last = min(curve["steps"][-1] for curve in curves)
    longest = max(curves, key=lambda curve: len(curve["steps"]))
    inside = [step for step in longest["steps"] if first <= step <= last]
    return inside or [last]


def page_entry(entry: Entry) -> dict[str, Any]:
    """Return what the page draws of an entry: its bands, and each run's own curves."""
    return {
        "bands": bands(entry),
        "runs": [
            {"seed": seed, "value": entry.values[seed], "curves": curves_of(run)}
            for seed, run in sorted(entry.runs.items())
        ],
    }
