"""The end of a sweep on the terminal: a row a job, what differs, what came out."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from nnlab.report.wording import duration_text, metric_text

STYLES = {
    "complete": "green",
    "pruned": "cyan",
    "failed": "red",
    "interrupted": "yellow",
}


def sweep_table(jobs: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of a sweep's jobs, in the order in which they were given."""
    common = (
        set.intersection(*(set(job["overrides"]) for job in jobs)) if jobs else set()
    )
    differing = [[w for w in job["overrides"] if w not in common] for job in jobs]
    keys = list(
        dict.fromkeys(w.partition("=")[0] for words in differing for w in words)
    )
    metrics = list(dict.fromkeys(name for job in jobs for name in job["metrics"]))
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("#", justify="right")
    for key in keys:
        table.add_column(key.lstrip("+"), overflow="fold")
    table.add_column("status")
    for name in metrics:
        table.add_column(name, justify="right")
    table.add_column("time", justify="right")
    for job, words in zip(jobs, differing, strict=True):
        values = {word.partition("=")[0]: word.partition("=")[2] for word in words}
        numbers = [
            metric_text(name, job["metrics"][name]) if name in job["metrics"] else ""
            for name in metrics
        ]
        table.add_row(
            str(job["number"]),
            *(Text(values.get(key, "")) for key in keys),
            Text(job["status"], style=STYLES.get(job["status"], "")),
            *numbers,
            duration_text(job["seconds"]) if job["seconds"] else "",
        )
    return table
