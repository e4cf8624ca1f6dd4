"""A job's process, as the pool sees it."""

import time
from dataclasses import dataclass

from nnlab.sweep.devices import Grant
from nnlab.sweep.job import Job


@dataclass
class Running:
    """A job's process: since when, with what, and since when it is asked to end."""

    job: Job
    grant: Grant
    started: float
    log_size: int
    has_begun: bool = False  # else it waits for the server's imports
    asked: float | None = None
    is_late: bool = False
    is_killed: bool = False
    pruned: str | None = None  # why a search gave it up

    def begin(self) -> None:
        """Count its time from now."""
        self.has_begun, self.started = True, time.monotonic()

    def is_late_after(self, limit: float | None, now: float) -> bool:
        """Tell whether it takes longer than that many seconds."""
        return self.has_begun and limit is not None and now - self.started > limit
