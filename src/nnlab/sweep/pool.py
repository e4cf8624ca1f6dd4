"""A sweep's jobs, so many side by side: started, watched, ended."""

import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from nnlab.report.commands import override_value
from nnlab.sweep.board import Board
from nnlab.sweep.devices import Devices, Grant
from nnlab.sweep.job import Job
from nnlab.sweep.job_server import LOST, MOST_LOSSES
from nnlab.sweep.ledger import Ledger
from nnlab.sweep.options import SweepOptions
from nnlab.sweep.outcome import outcome, tail
from nnlab.sweep.running import Running
from nnlab.sweep.source import JobSource

POLL_SECONDS = 0.1
# How long a job may take to save its state: after its time was up, and when the sweep
# is stopped by somebody, who may have a longer breath, or press Ctrl-C again.
TIMEOUT_GRACE, STOP_GRACE = 10.0, 60.0


class Pool:
    """Runs jobs as processes, and keeps the ledger.

    Args:
        workers: jobs side by side.
        server: what the jobs come from.
        trainer_of: the trainer's section of a job's config, for the devices it needs.
    """

    asks = False  # a search, which asks for one job after the other

    def __init__(
        self,
        ledger: Ledger,
        options: SweepOptions,
        *,
        workers: int,
        server: JobSource,
        trainer_of: Callable[[Sequence[str]], dict[str, Any]],
        devices: Devices,
        threads: int,
        board: Board,
    ) -> None:
        self.ledger, self.options, self.board = ledger, options, board
        self.workers, self.server, self.trainer_of = workers, server, trainer_of
        self.devices, self.threads = devices, threads
        self._needs: dict[int, dict[str, Any]] = {}  # a job's trainer, by its number
        self.running: dict[int, Running] = {}
        self.stopped_by: int | None = None  # the signal
        self.leaving: str | None = None  # why no more jobs are started
        self.begun = 0  # jobs that this process has started
        self._signals = self._losses = 0

    def run(self, jobs: Sequence[Job]) -> None:
        """Run these jobs, until each is over or the sweep is stopped."""
        waiting = deque(jobs)
        with self.board:
            self.ledger.save(at_once=True)
            while self.fill(waiting) or self.running:
                try:
                    self._start_from(waiting)
                    self._urge()
                    for number, status in self.server.news(POLL_SECONDS):
                        if status is None:
                            self.running[number].begin()
                        else:
                            self._finish(self.running.pop(number), status)
                except ConnectionError:
                    self._replace_server(waiting)
                if self.leaving:
                    waiting.clear()
                self.board.show({n: r.started for n, r in self.running.items()})
                self.ledger.save()
        self.ledger.save(at_once=True)

    def fill(self, waiting: "deque[Job]") -> bool:
        """Tell whether jobs wait; a search adds some."""
        return bool(waiting)

    def to_ask(self) -> int:
        """Return how many jobs there will be besides those of the ledger."""
        return 0

    def _start_from(self, waiting: "deque[Job]") -> None:
        while waiting and not self.leaving and len(self.running) < self.workers:
            number = waiting[0].number
            words = self.ledger.words[number]
            if self.devices.gpus and number not in self._needs:
                self._needs[number] = self.trainer_of(words)
            grant = self.devices.take(self._needs.get(number, {}))
            if grant is None:
                return
            self._start(waiting.popleft(), words, grant)

    def _start(self, job: Job, words: list[str], grant: Grant) -> None:
        place = override_value(str(self.ledger.path(job)))
        goes_on = self.ledger.continues(job)
        command = [f"resume={place}"] if goes_on else [*words, f"folder={place}"]
        log = self.ledger.log(job)
        job.status, job.cause, job.attempts = "running", None, job.attempts + 1
        if job.attempts > 1:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"\n--- attempt {job.attempts} ---\n")
        size = log.stat().st_size if log.is_file() else 0
        self.running[job.number] = Running(job, grant, time.monotonic(), size)
        self.begun += 1
        self.ledger.save(at_once=True)  # no process without a row that says so
        self.server.start(
            job,
            ["train", *command],
            log=log,
            threads=self.threads,
            environment=grant.environment,
        )

    def _finish(self, running: Running, status: int) -> None:
        job = running.job
        path, log = self.ledger.path(job), self.ledger.log(job)
        job.status, job.cause = outcome(path, status, tail(log, running.log_size))
        if running.is_late and job.status != "complete":
            job.status = "failed"
            job.cause = f"not over after sweep.timeout={self.options.timeout:g} seconds"
        self._close(running)
        if job.status == "failed" and self.options.fail_fast and not self.leaving:
            self.leaving = f"job {job.number} failed, and sweep.fail_fast=true"

    def _close(self, running: Running) -> None:
        job = running.job
        job.seconds = round(job.seconds + time.monotonic() - running.started, 3)
        self.devices.give_back(running.grant)
        self.ledger.take_result(job)
        self.board.tell(job)

    def _urge(self) -> None:
        """Ask jobs to end whose time is up, or the sweep's; end those that do not."""
        now, limit = time.monotonic(), self.options.timeout
        for running in self.running.values():
            grace = TIMEOUT_GRACE if running.is_late else STOP_GRACE
            if running.asked is None:
                running.is_late = running.is_late_after(limit, now)
                if running.is_late or self.leaving:
                    running.asked = now
                    number = self.stopped_by or signal.SIGTERM
                    self.server.signal(running.job, number)
            elif not running.is_killed and (
                now - running.asked > grace or self._signals > 1
            ):
                running.is_killed = True
                self.server.signal(running.job, signal.SIGKILL)

    def _replace_server(self, waiting: "deque[Job]") -> None:
        """Go on with another server; its jobs were asked to end by the kernel."""
        for running in reversed(self.running.values()):
            job = running.job
            if not running.has_begun:
                job.status, job.attempts = "waiting", job.attempts - 1
                self.devices.give_back(running.grant)
                waiting.appendleft(job)
                continue
            job.status = "interrupted"
            job.cause = "the process that jobs come from was killed"
            self._close(running)
        self.running.clear()
        self._losses += 1
        if self._losses > MOST_LOSSES:
            self.leaving = LOST
        elif not self.leaving:
            self.server.restart()

    @contextmanager
    def listening(self) -> Generator[None]:
        """Take signals as the wish to stop: the jobs save their state, and end."""
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._stop) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        # The first time the jobs are asked to save and end; the second time they end.
        self._signals += 1
        self.stopped_by = self.stopped_by or number
        self.leaving = self.leaving or "the sweep was stopped"
