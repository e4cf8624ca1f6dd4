"""The sweep's side of `nnlab.sweep.server`: starts it, orders, and hears what ended."""

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nnlab.errors import RunFailed, UserError
from nnlab.sweep.child import IGNORED
from nnlab.sweep.forked import Forked, can_fork
from nnlab.sweep.job import Job
from nnlab.sweep.machine import Config, Machine, question

if TYPE_CHECKING:  # a server is begun before Hydra is imported
    from nnlab.compose import Composer

JOBS_LOCK = ".jobs.lock"
MOST_LOSSES = 3  # of a process, before something is thought to be wrong with it
UNCHECKED = (
    "the process that checks the jobs ended each time before it was done: it was "
    "killed, or a plugin's code ends it; one of the jobs alone would say more"
)
LOST = "the process that jobs come from is killed time and again"
# What a launcher above (torchrun, Slurm's srun, a run of Lightning's) says of the
# process that sweeps is not about its jobs.
NOT_INHERITED = (
    *("LOCAL_RANK", "NODE_RANK", "GLOBAL_RANK", "GROUP_RANK", "ROLE_RANK", "RANK"),
    *("WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE", "ROLE_WORLD_SIZE"),
    *("MASTER_ADDR", "MASTER_PORT", "PL_GLOBAL_SEED", "PL_SEED_WORKERS"),
    *("TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "TORCHELASTIC_MAX_RESTARTS"),
    *("TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_ERROR_FILE", "ROLE_NAME"),
)
# One thread at the time of the import: a fork leaves all others behind.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class JobServer:
    """Jobs as processes of a server of their own; one sweep's.

    Args:
        fork: jobs are forks of a process that has imported torch; else interpreters.
        composer: has composed what jobs have in common, perhaps; given later, it is
            for a server that has to take this one's place.
    """

    def __init__(self, *, fork: bool, composer: "Composer | None" = None) -> None:
        self.fork = fork and sys.platform != "darwin"  # whose libraries do not survive
        self.composer = composer
        self._held: Path | None = None
        self._begin()

    def _begin(self) -> None:
        self._connection, theirs = socket.socketpair()
        self._rest = b""
        self._alive: set[int] = set()
        self._process = self._spawn(theirs)
        theirs.close()

    def restart(self) -> None:
        """Begin anew after the server was killed; its jobs are forgotten."""
        self._connection.close()
        self._process.wait()
        self._begin()
        if self._held is not None:
            self.hold(self._held)

    def _spawn(self, theirs: socket.socket) -> "subprocess.Popen[bytes] | Forked":
        if self.fork and can_fork():
            work = partial(self._become_server, theirs, os.getpid())
            return Forked(work, ignored=IGNORED, keep=theirs.fileno())
        environment = {**os.environ, **ONE_THREAD} if self.fork else dict(os.environ)
        for name in NOT_INHERITED:
            environment.pop(name, None)
        handle, mode = str(theirs.fileno()), "fork" if self.fork else "exec"
        return subprocess.Popen(
            [*interpreter(), "-m", "nnlab.sweep.server", handle, mode],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=environment,
            start_new_session=True,  # Ctrl-C comes to the jobs through this process
        )

    def _become_server(self, theirs: socket.socket, parent: int) -> None:
        from nnlab.sweep.server import serve

        os.environ.update(ONE_THREAD)
        for name in NOT_INHERITED:
            os.environ.pop(name, None)
        if self.composer is not None:
            type(self.composer).ready = self.composer
        serve(theirs, fork=True, parent=parent)

    def hold(self, folder: Path) -> None:
        """Let the sweep's folder be known as in use until the last job is gone."""
        self._held = folder
        self._order({"do": "hold", "file": str(folder / JOBS_LOCK)})

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
        given = {**os.environ, **environment, "OMP_NUM_THREADS": str(threads)}
        for name in NOT_INHERITED:
            given.pop(name, None)
        self._alive.add(job.number)
        self._order(
            {
                "do": "start",
                "job": job.number,
                "words": list(words),
                "log": str(log),
                "threads": threads,
                "environment": given,
                "interpreter": [*interpreter(), "-u", "-m", "nnlab"],
            }
        )

    def signal(self, job: Job, number: int) -> None:
        """Send a signal to a job; SIGKILL to all of its processes."""
        self._order({"do": "signal", "job": job.number, "signal": number})

    def news(self, seconds: float) -> list[tuple[int, int | None]]:
        """Return what happened in that time: a job's number, and its exit status.

        The status is None where the job has just begun.

        Raises:
            ConnectionError: where the server itself has ended.
        """
        messages = self._hear(seconds)
        told = [(message["job"], message["status"]) for message in messages]
        self._alive -= {job for job, status in told if status is not None}
        return told

    def look(self, configs: Sequence[Config], *, is_here: bool) -> int:
        """Check jobs before the first is started, and return how many GPUs are here.

        Args:
            configs: of each kind of job.
            is_here: they will run on this machine, so it must have what they ask for.

        Raises:
            UserError: where what one of them says is not accepted, or not here.
            RunFailed: where nobody answers.
        """
        about = question(configs, is_here=is_here)
        ask = self._ask if self.fork else _ask_another
        for _ in range(MOST_LOSSES):
            if said := ask(about):
                machine = Machine(**said)
                if machine.refused is not None:
                    raise UserError(machine.refused)
                return machine.gpus
        raise RunFailed(UNCHECKED)

    def _ask(self, about: bytes) -> dict[str, Any]:
        """Return a witness's answer; nothing where it ended without one."""
        try:
            self._order({"do": "look", "about": about.hex()})
            while not (messages := self._hear(None)):
                pass
        except ConnectionError:
            self.restart()
            return {}
        return messages[0]

    def _hear(self, seconds: float | None) -> list[dict[str, Any]]:
        ready, _, _ = select.select([self._connection], [], [], seconds)
        if not ready:
            return []
        received = self._connection.recv(65536)
        if not received:
            raise ConnectionError
        *lines, self._rest = (self._rest + received).split(b"\n")
        return [json.loads(line) for line in lines]

    def _order(self, order: dict[str, Any]) -> None:
        self._connection.sendall(json.dumps(order).encode() + b"\n")

    def __enter__(self) -> Self:
        return self

    def end(self) -> None:
        """Have the server end its jobs, and itself; do not wait for it."""
        if not self._alive:
            self._process.kill()  # it may still be importing, for nothing
        self._connection.close()

    def __exit__(self, *exception: object) -> None:
        """Let the server end its jobs, and itself."""
        self.end()
        self._process.wait()


def _ask_another(about: bytes) -> dict[str, Any]:
    command = [*interpreter(), "-m", "nnlab.sweep.machine"]
    ended = subprocess.run(command, input=about, stdout=subprocess.PIPE, check=False)
    return json.loads(ended.stdout or b"{}")


def interpreter() -> list[str]:
    """Return the command of a Python that imports from where this one does."""
    first = sys.path[0] if sys.path else None
    sees_here = first == "" or (first is not None and first == os.getcwd())  # noqa: PTH109
    return [sys.executable] if sees_here else [sys.executable, "-P"]
