"""Runs of nnlab in processes of their own, which are killed and continued.

They are forks of one process that has imported everything (nnlab's own, of sweeps:
`nnlab.sweep.server`), so that a life costs half a second and not four.
"""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from typing_extensions import override

from nnlab.sweep.job import Job
from nnlab.sweep.job_server import ONE_THREAD, JobServer

SERVER = Path(__file__).with_name("without_pictures.py")
TRIAL = Path(__file__).with_name("trial")  # a plugin
PATIENCE = 120.0  # seconds for a run of a few


class Source(JobServer):
    """nnlab's own source of processes, less the pictures of finished runs.

    Args:
        folder: the current one of all of them.
    """

    def __init__(self, *, fork: bool, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        super().__init__(fork=fork)

    @override
    def _spawn(self, theirs: socket.socket) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-P", str(SERVER), str(theirs.fileno()), "fork"],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env={**os.environ, **ONE_THREAD},
            cwd=self.folder,
            start_new_session=True,
        )


class Lives:
    """Starts commands, and ends them at moments that nobody chose.

    Args:
        folder: for what the commands print.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.server = Source(fork=True, folder=folder / "empty")
        self._count = 0
        self._ended: dict[int, int] = {}

    def __enter__(self) -> Self:
        self.server.__enter__()
        self.run("--version")  # all is imported before anything is timed
        return self

    def __exit__(self, *exception: object) -> None:
        self.server.__exit__(*exception)

    @property
    def said(self) -> str:
        """What the last command printed."""
        return self._log().read_text(errors="replace") if self._log().is_file() else ""

    def begin(self, *words: str, environment: dict[str, str] | None = None) -> Job:
        """Start a command; return it once its process is there."""
        self._count += 1
        job = Job(self._count, [*words], "")
        given = {"NNLAB_PLUGINS": str(TRIAL), **(environment or {})}
        self.server.start(job, words, log=self._log(), threads=1, environment=given)
        return job

    def end_of(self, job: Job, seconds: float) -> int | None:
        """Return a command's exit status, None where it still runs after that time."""
        until = time.monotonic() + seconds
        while job.number not in self._ended:
            left = until - time.monotonic()
            if left <= 0:
                return None
            for number, status in self.server.news(left):
                if status is not None:
                    self._ended[number] = status
        return self._ended[job.number]

    def run(self, *words: str, environment: dict[str, str] | None = None) -> int:
        """Let a command live; return its exit status."""
        status = self.end_of(self.begin(*words, environment=environment), PATIENCE)
        if status is None:
            raise TimeoutError(f"{words} had not ended after {PATIENCE:g} s")
        return status

    def signal(self, job: Job, number: int) -> int:
        """Send a signal to a command's process; return its exit status."""
        self.server.signal(job, number)
        status = self.end_of(job, PATIENCE)
        if status is None:
            raise TimeoutError(f"{job.overrides} does not end by {number}")
        return status

    def _log(self) -> Path:
        return self.folder / f"{os.getpid()}-{id(self)}-{self._count}.txt"


def holder(folder: Path) -> int:
    """Return the process of a run that is alive."""
    return int((folder / ".lock").read_text())


def children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(word) for task in tasks for word in task.read_text().split()]


def wait_for(file: Path, seconds: float = PATIENCE) -> None:
    """Wait until a file is there."""
    until = time.monotonic() + seconds
    while not file.exists():
        if time.monotonic() > until:
            raise TimeoutError(f"{file} is not there after {seconds:g} s")
        time.sleep(0.002)
