"""How far a preparation is: a bar on a terminal, plain lines in a log."""

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from nnlab.corpus.commit import told
from nnlab.corpus.plan import ArchiveFile
from nnlab.corpus.stages import Stage
from nnlab.corpus.worker import Done
from nnlab.numerals import counted

LINE_SECONDS = 30
BAR_SECONDS = 0.3


class Progress:
    """The stage, MB of text a second, documents, and the time left.

    Speed and time are of this run: what was done before it costs nothing now.
    """

    def __init__(
        self, console: Console, folder: Path, files: Sequence[ArchiveFile]
    ) -> None:
        self.console, self.folder = console, folder
        self.sizes = [file.size for file in files]
        self.fetched = 0  # bytes, of this run
        self._bar: Bar | None = None
        self._task = TaskID(0)

    def begin(self, stage: Stage, *, units: int, todo: Sequence[int]) -> None:
        """Start with a stage."""
        self.stage, self.units, self.todo = stage, units, list(todo)
        self.text_bytes = self.documents = self.finished = 0
        self._started_at = self._line_at = time.monotonic()
        self._shown_at = 0.0
        if todo and self.console.is_terminal:
            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[numbers]}"),
                console=self.console,
                auto_refresh=False,
                transient=True,
                expand=True,
            )
            self._task = self._bar.add_task(stage.name, total=1.0, numbers="")
            self._bar.start()

    def done(self, done: Done) -> None:
        """Count a unit."""
        self.finished += 1
        counts = done.marker["counts"]
        self.documents += counts.get("documents", 0)
        self.text_bytes += counts.get("text_bytes", 0)

    def fetch(self, size: int) -> None:
        """Count bytes that came from a server."""
        self.fetched += size

    def show(self) -> None:
        """Show what is known, where it is time to."""
        now = time.monotonic()
        if self._bar is not None and now - self._shown_at > BAR_SECONDS:
            self._shown_at = now
            share, numbers = self._numbers(now)
            name = f"{self.stage.name} {self.finished}/{len(self.todo)}"
            self._bar.update(
                self._task, completed=share, description=name, numbers=numbers
            )
            self._bar.refresh()
        elif self._bar is None and now - self._line_at > LINE_SECONDS:
            self._line(now)

    def end(self) -> None:
        """Finish with a stage."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        if self.todo:
            self._line(time.monotonic())

    def _line(self, now: float) -> None:
        self._line_at = now
        _, numbers = self._numbers(now)
        units = f"{self.finished}/{len(self.todo)}"
        self.console.print(f"{self.stage.name:12}{units:>9}  {numbers}")

    def _numbers(self, now: float) -> tuple[float, str]:
        """Return the share that is done, and what there is to say."""
        place, text_bytes, documents = told(self.folder, self.stage.name)
        seconds = max(now - self._started_at, 1e-3)
        share = (self.finished + self._share_of_running(place)) / len(self.todo)
        parts: list[str] = []
        if text := self.text_bytes + text_bytes:
            parts.append(f"{text / 1e6 / seconds:.1f} MB/s")
        if self.documents + documents:
            parts.append(counted(self.documents + documents, "document"))
        if self.finished < len(self.todo):
            if self.fetched:
                parts.append(f"{self.fetched / 1e6:,.0f} MB fetched")
            if share > 0:
                parts.append(f"{clock(seconds * (1 - share) / share)} left")
        else:
            parts.append(clock(seconds))
        return min(share, 1.0), "  ".join(parts)

    def _share_of_running(self, place: int) -> float:
        """Return how many units' worth of work the running ones have done."""
        sizes = [self.sizes[unit] for unit in self.todo if self.stage.reads]
        known = [size for size in sizes if size]
        return place * len(known) / sum(known) if known else 0.0


def clock(seconds: float) -> str:
    """Return 0:07, 12:30 or 3:00:00."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
