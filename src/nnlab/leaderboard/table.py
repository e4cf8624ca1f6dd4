"""The leaderboard: the best entry first, with its interval, and what is sure of it."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nnlab.leaderboard.entries import Entry
from nnlab.leaderboard.statistics import Mean, paired_difference
from nnlab.numerals import below_one, hundredths, percent
from nnlab.report.wording import duration_text

MOST_OF_A_NAME = 30  # columns that a terminal keeps for it, where there are so many
LEAST_NEEDED = ("best", "FLOPs", "training", "weights")  # where the room is small
UNLIMITED = 10_000  # characters
COLUMNS = ("parameters", "flops", "seconds", "best_epoch")


def ranked(entries: Sequence[Entry], *, more: bool) -> list[Entry]:
    """Return the entries from the best mean to the worst, those without one last."""

    def place(entry: Entry) -> tuple[bool, float]:
        mean = entry.mean
        if mean is None:
            return True, 0.0
        return False, -mean.value if more else mean.value

    return sorted(entries, key=place)


def mean_text(name: str, mean: Mean | None) -> str:
    """Return `98.91 ± 0.12 %` of an accuracy, `0.0312 ± 0.0011` of anything else."""
    if mean is None:
        return "none complete"
    share = name.rpartition("/")[2].startswith("accuracy") and 0 <= mean.value <= 1
    scale, unit = (100.0, " %") if share else (1.0, "")
    value, half = scale * mean.value, mean.half_width
    if half is None:
        return percent(mean.value) if share else below_one(value, ".4g")
    digits = _decimals(scale * half, value)
    said = hundredths(mean.value, digits) if share else f"{value:.{digits}f}"
    digits = len(said.partition(".")[2])
    return f"{said} ± {scale * half:.{digits}f}{unit}"


def _decimals(half: float, value: float) -> int:
    # Two digits of the interval; of an interval of nothing, four of the value.
    size = half or abs(value) / 100 or 1.0
    return min(max(1 - math.floor(math.log10(size)), 0), 9)


def leaderboard_table(entries: Sequence[Entry], metric: str, console: Console) -> Table:
    """Return the table for a terminal, of ranked entries.

    What none has is left out; so is what the terminal has no room for, and the page
    shows.
    """
    rows = [_row(rank, entry, metric) for rank, entry in enumerate(entries, start=1)]
    names = [name for name in rows[0] if any(str(row[name]) for row in rows)]
    table = _with_columns(rows, names)
    endless = console.options.update(width=UNLIMITED)  # or it is measured as cut
    for name in LEAST_NEEDED:
        least = console.measure(table, options=endless).minimum
        if name in names and least > console.width:
            names.remove(name)
            table = _with_columns(rows, names)
    return table


def _with_columns(rows: Sequence[dict[str, Text]], names: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in names:
        if name == "entry":
            longest = max(len(row[name]) for row in rows)
            least = min(longest, MOST_OF_A_NAME)
            table.add_column(name, overflow="fold", min_width=least)
        else:
            table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(row[name] for name in names))
    return table


def _row(rank: int, entry: Entry, metric: str) -> dict[str, Text]:
    mean, seconds = entry.mean, entry.of("seconds")
    all_runs = len(entry.runs) + len(entry.others)
    seeds = f"{len(entry.runs)} of {all_runs}" if entry.others else f"{all_runs}"
    cells = {
        "#": str(rank) if mean else "",
        "entry": entry.name,
        metric: mean_text(metric, mean),
        "seeds": seeds,
        "weights": short_number(entry.of("parameters")),
        "FLOPs": short_number(entry.of("flops")),
        "training": "" if seconds is None else duration_text(seconds),
        "best": short_number(entry.of("best_epoch")),
    }
    return {
        name: Text(text, style="" if mean else "red") for name, text in cells.items()
    }


def short_number(value: float | None) -> str:
    """Return `61.7 k`, `2.1 M`; nothing where it is not known."""
    if value is None:
        return ""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scale = 1e3 if unit == "k" else size
            return f"{value / scale:.3g} {unit}"
    return f"{value:,.6g}"


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


def leaderboard_csv(entries: Sequence[Entry], metric: str) -> str:
    """Return the leaderboard as CSV, every number whole."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            "rank",
            "entry",
            metric,
            "half_width_95",
            "seeds",
            "failed",
            *COLUMNS,
            "values",
        ]
    )
    for rank, entry in enumerate(entries, start=1):
        mean = entry.mean
        row: list[Any] = [rank, entry.name]
        row += [mean.value, mean.half_width] if mean else ["", ""]
        row += [len(entry.runs), len(entry.others)]
        row += [entry.of(name) for name in COLUMNS]
        row.append(" ".join(f"{s}:{v!r}" for s, v in sorted(entry.values.items())))
        writer.writerow(["" if x is None else x for x in row])
    return text.getvalue()
