"""The table of published, target and reached, as Markdown that can be read again."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.table import Table

from nnlab.report.wording import duration_text, metric_text

HEAD = """\
# Reproduced

Each row is `python -m nnlab experiment=<name>`, the median over its seeds; every seed's
own result stands beside it. The test set was seen once a run, with the weights of the
best validation. `nnlab reproduce <name>` makes a row again, `nnlab reproduce --check`
compares. Times are medians of a run: what the processor computed, all threads together,
and what the clock said, which grows with whatever else a machine does.

| experiment | metric | published | target | reached | each seed | processor | clock |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Row:
    """An experiment's reference and what its runs reached, by seed."""

    experiment: str
    metric: str
    published: float | None
    target: float
    more: bool
    values: dict[int, float]
    seconds: float
    met: bool
    processor_seconds: float | None = None  # unknown of runs before 2026-11-20

    @property
    def reached(self) -> float:
        """The median over the seeds."""
        return median(self.values.values())


def as_markdown(rows: Mapping[str, Row]) -> str:
    """Return the page; the numbers themselves follow in a comment, for `--check`."""
    lines = [_line(rows[name]) for name in sorted(rows)]
    facts = {name: asdict(rows[name]) for name in sorted(rows)}
    return f"{HEAD}{''.join(lines)}\n<!-- {json.dumps(facts)} -->\n"


def as_table(rows: Mapping[str, Row]) -> Table:
    """Return what was reached now, for the terminal."""
    table = Table(box=None, pad_edge=False)
    for name in (
        *("experiment", "published", "target", "reached", "seeds"),
        *("processor", "clock"),
    ):
        table.add_column(name, overflow="fold")
    for row in rows.values():
        table.add_row(
            row.experiment,
            metric_text(row.metric, row.published),
            f"{'≥' if row.more else '≤'} {metric_text(row.metric, row.target)}",
            metric_text(row.metric, row.reached) + ("" if row.met else ", not met"),
            ", ".join(map(str, row.values)),
            processor_text(row),
            duration_text(row.seconds),
        )
    return table


def _line(row: Row) -> str:
    target = f"{'≥' if row.more else '≤'} {metric_text(row.metric, row.target)}"
    each = ", ".join(
        f"{seed}: {metric_text(row.metric, value)}"
        for seed, value in row.values.items()
    )
    cells = (
        f"`{row.experiment}`",
        row.metric,
        metric_text(row.metric, row.published),
        target,
        metric_text(row.metric, row.reached) + ("" if row.met else ", **not met**"),
        each,
        processor_text(row),
        duration_text(row.seconds),
    )
    return f"| {' | '.join(cells)} |\n"


def processor_text(row: Row) -> str:
    """Return what the processor computed in a run, where that is known."""
    seconds = row.processor_seconds
    return "not kept" if seconds is None else duration_text(seconds)


def rows_in(text: str) -> dict[str, Row]:
    """Return the rows of a page that `as_markdown` wrote; none of any other."""
    match = re.search(r"<!-- (\{.*\}) -->", text)
    facts: dict[str, dict[str, Any]] = json.loads(match[1]) if match else {}
    return {name: _row(fact) for name, fact in facts.items()}


def _row(fact: dict[str, Any]) -> Row:
    values = {int(seed): float(value) for seed, value in fact["values"].items()}
    known: dict[str, Any] = {**fact, "values": values}
    return Row(**known)
