"""The verb `runs`: what is in outputs, filtered and sorted, a line each."""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from nnlab.errors import UserError, did_you_mean
from nnlab.past.asked import asked
from nnlab.report.commands import seen_from_here
from nnlab.report.past_runs import matches, past_runs
from nnlab.report.run_reading import RunReading
from nnlab.report.wording import duration_text, metric_text, verdict
from nnlab.screen import screen

STATUSES = ("complete", "failed", "interrupted", "running", "unknown")
WHOLE_PATHS = 1000  # columns: a terminal breaks the lines that are too long for it
STYLES = {"complete": "green", "failed": "red", "interrupted": "yellow"}


def runs(words: Sequence[str]) -> int:
    """List runs: runs [status=failed] [model=gpt] [sort=test/loss] [below=outputs].

    Any setting of a run filters: `optimizer.lr=0.1`, `seed=1,2`. The run started last
    comes first; `sort=` takes a metric, `seconds`, `parameters` or `steps`, and `-`
    before it turns the order.

    Raises:
        UserError: where nothing is called that.
    """
    given = asked(words)
    below = Path(str(given.pop("below", given.pop("output_dir", "outputs"))))
    if not below.is_dir():
        raise UserError(f"below={below} is no folder; run something first, or name one")
    order = given.pop("sort", None)
    chosen = chosen_runs(below, given)
    if not chosen:
        raise UserError(_none_found(below, given))
    if order is not None:
        chosen = in_order(chosen, str(order))
    console = screen(width=WHOLE_PATHS)
    with console.capture() as captured:
        console.print(runs_table(chosen, order and str(order)))
    lines = (line.rstrip() for line in captured.get().splitlines())
    sys.stdout.write("\n".join([*lines, ""]))
    return 0


def chosen_runs(below: Path, wanted: Mapping[str, Any]) -> list[RunReading]:
    """Return the runs below a folder that are as wanted; of a list, any value will do.

    Raises:
        UserError: where a status is none that a run can have.
    """
    wanted = dict(wanted)
    statuses = _listed(wanted.pop("status", list(STATUSES)))
    for status in statuses:
        if status not in STATUSES:
            raise UserError(f"no status {status!r}{did_you_mean(status, STATUSES)}")
    return [
        run
        for run in past_runs(below)
        if run.status in statuses
        and all(
            any(matches(run, {key: value}) for value in _listed(values))
            for key, values in wanted.items()
        )
    ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def in_order(chosen: Sequence[RunReading], name: str) -> list[RunReading]:
    """Return the runs from the least to the most of something; those without it last.

    Raises:
        UserError: where no run has it.
    """
    sign = -1 if name.startswith("-") else 1
    name = name.removeprefix("-")
    numbers = {id(run): number_of(run, name) for run in chosen}
    if all(number is None for number in numbers.values()):
        known = {"seconds", "parameters", "steps", "epochs"}
        known.update(*(run.metrics for run in chosen))
        raise UserError(f"no run has sort={name}{did_you_mean(name, known)}")

    def place(run: RunReading) -> tuple[bool, float]:
        number = numbers[id(run)]
        return (number is None, sign * (number or 0.0))

    return sorted(chosen, key=place)


def number_of(run: RunReading, name: str) -> float | None:
    """Return a run's final metric, or what its result says it took; None: unknown."""
    value = run.metrics.get(name, run.result.get(name))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def runs_table(chosen: Sequence[RunReading], order: str | None) -> Table:
    """Return the table: how a run ended, what came out, and where it lies.

    The folder is last, and never broken: it is there to be copied.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("seed", justify="right")
    table.add_column("status")
    table.add_column("result", justify="right")
    table.add_column("time", justify="right")
    table.add_column("run", no_wrap=True)
    for run in chosen:
        seconds = run.result.get("seconds")
        table.add_row(
            str(run.config.get("seed", "")),
            Text(run.status, style=STYLES.get(run.status, "")),
            _shown(run, order),
            duration_text(seconds) if seconds is not None else "",
            Text(seen_from_here(run.path)),
        )
    return table


def _shown(run: RunReading, order: str | None) -> str:
    if order is not None:
        name = order.removeprefix("-")
        number = number_of(run, name)
        return "" if number is None else f"{name} {metric_text(name, number)}"
    said = verdict(run)
    return "" if said is None else " ".join(said)


def _none_found(below: Path, given: Mapping[str, Any]) -> str:
    said = " ".join(f"{key}={value}" for key, value in given.items())
    return f"there is no run {f'of {said} ' if said else ''}below {below}"
