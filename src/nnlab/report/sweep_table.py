"""The end of a sweep on the terminal: a row a job, what differs, what came out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from nnlab.report.wording import duration_text, metric_text

WHOLE_RUN = "whole\nrun"  # of its process: training, and all around it
STYLES = {
    "complete": "green",
    "pruned": "cyan",
    "failed": "red",
    "interrupted": "yellow",
}


def sweep_table(jobs: Sequence[Mapping[str, Any]], *, width: int = 80) -> Table:
    """Return the table of a sweep's jobs, in the order in which they were given.

    Metrics that would make it wider than `width` characters are named below it.
    """
    common = (
        set.intersection(*(set(job["overrides"]) for job in jobs)) if jobs else set()
    )
    own = [[w for w in job["overrides"] if w not in common] for job in jobs]
    settings = [dict(w.lstrip("+").partition("=")[::2] for w in each) for each in own]
    keys = list(dict.fromkeys(key for each in settings for key in each))
    room = width - 30  # number, status, time
    room -= sum(_width(key, (each.get(key, "") for each in settings)) for key in keys)
    metrics, others = _fitting(jobs, room)
    table = _headed(keys, metrics)
    if others:
        table.caption = f"in each run's result.json as well: {', '.join(others)}"
        table.caption_justify = "left"
    for job, values in zip(jobs, settings, strict=True):
        table.add_row(
            str(job["number"]),
            *(Text(values.get(key, "")) for key in keys),
            Text(job["status"], style=STYLES.get(job["status"], "")),
            *(_number(job, name) for name in metrics),
            duration_text(job["seconds"]) if job["seconds"] else "",
        )
    return table


def _headed(keys: Sequence[str], metrics: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("#", justify="right")
    for key in keys:
        table.add_column(_in_lines(key), overflow="fold")
    table.add_column("status")
    for name in metrics:
        table.add_column(_in_lines(name), justify="right")
    table.add_column(WHOLE_RUN, justify="right")
    return table


def _fitting(
    jobs: Sequence[Mapping[str, Any]], room: int
) -> tuple[list[str], list[str]]:
    """Return the metrics that `room` characters hold, one at least, and the others."""
    found = dict.fromkeys(name for job in jobs for name in job["metrics"])
    names = sorted(found, key=lambda name: name.endswith("loss"))
    for count, name in enumerate(names):
        room -= _width(name, (_number(job, name) for job in jobs))
        if room < 0 and count:
            return names[:count], names[count:]
    return names, []


def _number(job: Mapping[str, Any], name: str) -> str:
    return metric_text(name, job["metrics"][name]) if name in job["metrics"] else ""


def _width(heading: str, cells: Iterable[str]) -> int:
    return max(map(len, [*cells, *_in_lines(heading).splitlines()])) + 3


def _in_lines(name: str) -> str:
    """Return a heading in short lines: it may be no wider than what stands below it."""
    return re.sub(r"(?<=[/._])", "\n", name).strip()
