"""The states of a sweep's jobs: a live table on a terminal, a line a job elsewhere."""

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nnlab.numerals import counted
from nnlab.report.sweep_table import STYLES
from nnlab.report.wording import duration_text, metric_text
from nnlab.sweep.job import Job
from nnlab.sweep.ledger import Ledger
from nnlab.sweep.outcome import tail

REFRESH_SECONDS = 0.25
REST_LINES = 5  # of a terminal: head, summary, what was there before
# Which jobs are shown where not all of them fit.
ORDER = ("running", "failed", "interrupted", "waiting", "pruned", "complete")


class Board:
    """Shows a sweep while it runs.

    Args:
        ledger: its jobs.
        console: a terminal gets the table, anything else a line for each job that ends.
    """

    def __init__(self, ledger: Ledger, console: Console) -> None:
        self.ledger, self.console = ledger, console
        self._live = Live(
            console=console,
            auto_refresh=False,  # a thread of its own
            transient=True,  # the table with the results takes its place
        )
        self._shown_at = 0.0

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the terminal as it was."""
        self._live.stop()

    def tell(self, job: Job) -> None:
        """Say in a line how a job ended, where no table does."""
        if self.console.is_terminal:
            return
        jobs = self.ledger.jobs.values()
        said = job.cause or _metrics(job)
        over = sum(each.is_over for each in jobs)
        line = (
            f"{over}/{self._count()}  {job.name}  {job.status}  {said}  "
            f"{duration_text(job.seconds)}"
        )
        self.console.print(line, soft_wrap=True, markup=False, highlight=False)

    def show(self, started: Mapping[int, float]) -> None:
        """Draw the table, where there is a terminal and it is time.

        Args:
            started: when each running job was, by its number.
        """
        now = time.monotonic()
        if self.console.is_terminal and now - self._shown_at > REFRESH_SECONDS:
            self._shown_at = now
            self._live.update(self.table(started, now), refresh=True)

    def table(self, started: Mapping[int, float], now: float) -> Group:
        """Return the table of as many jobs as the terminal has room for."""
        jobs = list(self.ledger.jobs.values())
        table = Table(box=None, expand=True, pad_edge=False, header_style="dim")
        table.add_column("#", justify="right")
        for name, ratio in (("job", 4), ("status", None), ("time", None), ("says", 5)):
            table.add_column(name, ratio=ratio, no_wrap=True, overflow="ellipsis")
        for job in chosen(jobs, max(3, self.console.height - REST_LINES)):
            ran = now - started[job.number] if job.number in started else 0
            seconds = job.seconds + ran
            table.add_row(
                str(job.number),
                Text(re.sub(r"[\w.+]*\.(\w+=)", r"\1", job.name)),
                Text(job.status, style=STYLES.get(job.status, "")),
                duration_text(seconds) if seconds else "",
                Text(self._says(job)),
            )
        head = Text(self.summary(), "bold", no_wrap=True, overflow="ellipsis")
        return Group(head, table)

    def _says(self, job: Job) -> str:
        if job.status == "running":
            return last_line(self.ledger.log(job))
        if job.cause:
            return job.cause
        return _metrics(job)

    def summary(self) -> str:
        """Return in a line how many jobs there are, and how far."""
        counts = Counter(job.status for job in self.ledger.jobs.values())
        shown = ", ".join(f"{counts[s]} {s}" for s in ORDER if counts[s])
        return f"{self.ledger.folder.name}: {counted(self._count(), 'job')}, {shown}"

    def _count(self) -> int:
        return max(len(self.ledger.jobs), self.ledger.planned)


def chosen(jobs: Sequence[Job], room: int) -> list[Job]:
    """Return as many jobs as there is room for, in their order.

    Those that run first, then what went wrong, what comes next, and what ended last.
    """
    rank = {status: index for index, status in enumerate(ORDER)}

    def weight(job: Job) -> tuple[int, int]:
        newest_first = job.status in ("complete", "pruned", "failed", "interrupted")
        return rank[job.status], -job.number if newest_first else job.number

    best = sorted(jobs, key=weight)[:room]
    return sorted(best, key=lambda job: job.number)


def last_line(log: Path) -> str:
    """Return the last line with something on it that a job has printed."""
    lines = [line.strip() for line in tail(log, most=2000).splitlines()]
    return next((line for line in reversed(lines) if line), "")


def _metrics(job: Job) -> str:
    """Return what the tests gave in a line, the loss last."""
    names = sorted(job.metrics, key=lambda name: name.endswith("loss"))
    shown = (f"{name} {metric_text(name, job.metrics[name])}" for name in names)
    return "  ".join(shown)
