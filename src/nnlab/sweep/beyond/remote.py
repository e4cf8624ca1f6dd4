"""The sweep's side of jobs on other machines: starts, signals, hears what ended."""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from nnlab.sweep.beyond.call import (
    Call,
    read_state,
    state_file,
    stop_file,
    write_stop,
)
from nnlab.sweep.job import Job
from nnlab.sweep.job_server import interpreter

FOLDER = "remote"
POLL_SECONDS = 0.2
ENVIRONMENT = ("NNLAB_", "OMP_NUM_THREADS", "CUBLAS_WORKSPACE_CONFIG")


class RemoteServer(ABC):
    """Jobs of one sweep on other machines; what `JobServer` is on this one.

    A job says by a file that it has begun and how it ended; whoever runs it (Slurm,
    Ray) is asked now and then, for those that can no longer say anything.

    Args:
        folder: the sweep's, which all machines see.
        seconds: between two questions about a job.
    """

    def __init__(self, folder: Path, *, seconds: float) -> None:
        self.folder = folder.absolute() / FOLDER
        self.folder.mkdir(mode=0o700, exist_ok=True)  # submitit writes the words there
        self._seconds = seconds
        self._handles: dict[int, Any] = {}
        self._marks: dict[int, str] = {}
        self._begun: set[int] = set()
        self._asked_at: dict[int, float] = {}

    @abstractmethod
    def submit(self, call: Call) -> Any:
        """Hand a job over; return its handle."""

    @abstractmethod
    def lost(self, handle: Any) -> tuple[int, str] | None:
        """Return how a job ended that is over: an exit status, and why."""

    @abstractmethod
    def cancel(self, handle: Any, number: int) -> None:
        """End a job that does not hear: it waits, or it is to be killed."""

    @abstractmethod
    def hold(self, folder: Path) -> None:
        """Wait for the jobs of a sweep that was killed, and end them."""

    def restart(self) -> None:
        """Begin nothing anew: `news` raises no ConnectionError."""
        raise AssertionError

    def start(
        self,
        job: Job,
        words: Sequence[str],
        *,
        log: Path,
        threads: int,
        environment: Mapping[str, str],
    ) -> None:
        """Start a job; `news` will tell when it has, and how it ended."""
        mark = str(self.folder / job.folder)
        for file in (state_file(mark), stop_file(mark)):
            file.unlink(missing_ok=True)
        ours = {k: v for k, v in os.environ.items() if k.startswith(ENVIRONMENT)}
        call = Call(
            command=[*interpreter(), "-u"],
            words=list(words),
            run=str(self.folder.parent / job.folder),
            log=str(log.absolute()),
            mark=mark,
            directory=str(Path.cwd()),
            environment={**ours, "OMP_NUM_THREADS": str(threads), **environment},
        )
        self._marks[job.number] = mark
        self._asked_at[job.number] = time.monotonic()
        self._handles[job.number] = self.submit(call)

    def signal(self, job: Job, number: int) -> None:
        """Send a signal to a job; SIGKILL to all of its processes."""
        if job.number not in self._handles:
            return
        write_stop(self._marks[job.number], number)
        if job.number not in self._begun:
            self.cancel(self._handles[job.number], number)

    def news(self, seconds: float) -> list[tuple[int, int | None]]:
        """Return what happened in that time: a job's number, and its exit status."""
        until = time.monotonic() + seconds
        while True:
            told = [
                each for number in list(self._handles) for each in self._ask(number)
            ]
            if told or time.monotonic() >= until:
                return told
            time.sleep(min(POLL_SECONDS, seconds))

    def _ask(self, number: int) -> list[tuple[int, int | None]]:
        told: list[tuple[int, int | None]] = []
        state = read_state(self._marks[number])
        if state and number not in self._begun:
            self._begun.add(number)
            told.append((number, None))
        status = state.get("status")
        if status is None and self._is_time(number):
            found = self.lost(self._handles[number])
            if found is not None:
                # It may have said so between the two questions.
                status = read_state(self._marks[number]).get("status")
                status = self._report_lost(number, *found) if status is None else status
        if status is not None:
            self._forget(number)
            told.append((number, status))
        return told

    def _is_time(self, number: int) -> bool:
        now = time.monotonic()
        if now - self._asked_at[number] < self._seconds:
            return False
        self._asked_at[number] = now
        return True

    def _report_lost(self, number: int, status: int, why: str) -> int:
        mark = Path(self._marks[number])
        log = mark.parents[1] / "logs" / f"{mark.name}.txt"
        with log.open("a", encoding="utf-8") as file:
            file.write(f"nnlab: {why}\n")
        return status

    def _forget(self, number: int) -> None:
        del self._handles[number], self._marks[number], self._asked_at[number]
        self._begun.discard(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Let nothing run on that nobody hears of."""
        for number, handle in self._handles.items():
            write_stop(self._marks[number], signal.SIGTERM)
            self.cancel(handle, signal.SIGTERM)
