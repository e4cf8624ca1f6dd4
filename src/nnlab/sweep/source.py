"""Where a sweep's processes come from: this machine's server, or another's."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from nnlab.sweep.job import Job


class JobSource(Protocol):
    """Starts jobs, signals them, and tells how they end."""

    def hold(self, folder: Path) -> None:
        """Let the sweep's folder be known as in use."""
        ...

    def start(
        self,
        job: Job,
        words: Sequence[str],
        *,
        log: Path,
        threads: int,
        environment: Mapping[str, str],
    ) -> None:
        """Start a job."""
        ...

    def signal(self, job: Job, number: int) -> None:
        """Send a signal to a job; SIGKILL to all of its processes."""
        ...

    def news(self, seconds: float) -> list[tuple[int, int | None]]:
        """Return a job's number and its exit status, None where it has just begun."""
        ...

    def restart(self) -> None:
        """Begin anew, after `news` has raised ConnectionError."""
        ...
