"""A pool whose jobs are asked for when a worker is free, and may be given up."""

import signal
import time
from collections import deque

from typing_extensions import override

from nnlab.sweep.job import Job
from nnlab.sweep.pool import Pool
from nnlab.sweep.running import Running
from nnlab.sweep.search.search import Search


class SearchPool(Pool):
    """Runs the jobs of a search, which the sweeper hands over."""

    asks = True
    search: Search | None = None

    @override
    def fill(self, waiting: "deque[Job]") -> bool:
        if self.search is None or self.leaving:
            return bool(waiting)
        for number, cause in self.search.hopeless(list(self.running)):
            self._prune(self.running[number], cause)
        while len(self.running) + len(waiting) < self.workers:
            job = self.search.next_job()
            if job is None:
                break
            waiting.append(job)
        return bool(waiting)

    @override
    def to_ask(self) -> int:
        return self.search.left if self.search is not None else 0

    def _prune(self, running: Running, cause: str) -> None:
        """Ask a job to save its state and end."""
        if running.asked is None:
            running.asked, running.pruned = time.monotonic(), cause
            self.server.signal(running.job, signal.SIGTERM)

    @override
    def _close(self, running: Running) -> None:
        job = running.job
        if running.pruned and job.status == "interrupted" and not self.leaving:
            job.status, job.cause = "pruned", running.pruned
        super()._close(running)
        if self.search is not None:
            self.ledger.save(at_once=True)  # a kill may come between the two
            self.search.end(job)
