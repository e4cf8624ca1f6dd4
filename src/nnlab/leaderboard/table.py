"""The leaderboard: the best entry first, with its interval."""

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
from nnlab.leaderboard.statistics import Mean
from nnlab.numerals import below_one, hundredths, percent
from nnlab.report.wording import duration_text

MOST_OF_A_NAME = 30  # columns that a terminal keeps for it, where there are so many
UNLIMITED = 10_000  # characters
# What a run took, by its heading here and on the page, as result.json calls it; where
# the room is small the last goes first.
TAKEN = {
    "parameters": "parameters",
    "training": "seconds",
    "FLOPs": "flops",
    "best epoch": "best_epoch",
}


def ranked(entries: Sequence[Entry], *, more: bool) -> list[Entry]:
    """Return the entries from the best mean to the worst, those without one last.

    Of equal means, the one with fewer parameters comes first, then the one that was
    trained in less time, then as their names are spelled.
    """

    def place(entry: Entry) -> tuple[bool, float, float, float, str]:
        mean = entry.mean.value if entry.mean else 0.0
        took = (entry.of(name) for name in ("parameters", "seconds"))
        size, seconds = (math.inf if number is None else number for number in took)
        mean = -mean if more else mean
        return entry.mean is None, mean, size, seconds, entry.name

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
    for name in reversed(TAKEN):
        least = console.measure(table, options=endless).minimum
        if name in names and least > console.width:
            names.remove(name)
            table = _with_columns(rows, names)
    return table


def _with_columns(rows: Sequence[dict[str, Text]], names: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in names:
        longest = max(len(row[name]) for row in rows)
        if name == "entry":
            least = min(longest, MOST_OF_A_NAME)
            table.add_column(name, overflow="fold", min_width=least)
        else:  # rich would else cut at a space
            least = max(longest, len(name))
            table.add_column(name, justify="right", no_wrap=True, min_width=least)
    for row in rows:
        table.add_row(*(row[name] for name in names))
    return table


def _row(rank: int, entry: Entry, metric: str) -> dict[str, Text]:
    mean = entry.mean
    all_runs = len(entry.runs) + len(entry.others)
    seeds = f"{len(entry.runs)} of {all_runs}" if entry.others else f"{all_runs}"
    cells = {
        "#": str(rank) if mean else "",
        "entry": entry.name,
        metric: mean_text(metric, mean),
        "seeds": seeds,
        **{heading: taken_text(entry, heading) for heading in TAKEN},
    }
    return {
        name: Text(text, style="" if mean else "red") for name, text in cells.items()
    }


def taken_text(entry: Entry, heading: str) -> str:
    """Return what an entry's runs took of `parameters`, `training` and so on."""
    value = entry.of(TAKEN[heading])
    if value is None:
        return ""
    if heading == "training":
        return duration_text(value)
    learning = entry.of("trainable") if heading == "parameters" else None
    if learning is not None and learning < value:
        return f"{short_number(learning)} of {short_number(value)}"
    return short_number(value)


def short_number(value: float | None) -> str:
    """Return `61.7 k`, `2.1 M`; nothing where it is not known."""
    if value is None:
        return ""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scale = 1e3 if unit == "k" else size
            return f"{value / scale:.3g} {unit}"
    return f"{value:,.6g}"


def leaderboard_csv(entries: Sequence[Entry], metric: str) -> str:
    """Return the leaderboard as CSV, every number whole."""
    columns = ("parameters", "trainable", "flops", "seconds", "best_epoch")
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
            *columns,
            "values",
        ]
    )
    for rank, entry in enumerate(entries, start=1):
        mean = entry.mean
        row: list[Any] = [rank, entry.name]
        row += [mean.value, mean.half_width] if mean else ["", ""]
        row += [len(entry.runs), len(entry.others)]
        row += [entry.of(name) for name in columns]
        row.append(" ".join(f"{s}:{v!r}" for s, v in sorted(entry.values.items())))
        writer.writerow(["" if x is None else x for x in row])
    return text.getvalue()
