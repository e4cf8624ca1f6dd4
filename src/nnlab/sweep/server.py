"""The process that a sweep's jobs come from: `python -m nnlab.sweep.server <socket>`.

With `fork` it imports torch and Lightning once, and each job is a fork of it: a job's
start costs milliseconds instead of seconds. It has one thread, has drawn no random
number, and has asked no GPU, so that a job finds what a fresh interpreter would.
Without `fork` it imports nothing, and each job is a fresh interpreter.

Orders come as lines of JSON, `nnlab.sweep.job_server` says which. When the sweep's own
process is gone, however it ended, the jobs are asked to save their state and end.
"""

import fcntl
import gc
import importlib
import io
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nnlab.stand_in import leave_out_unused
from nnlab.sweep.child import become_job

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the sweep's process decides
GRACE_SECONDS = 30.0  # for jobs whose sweep is gone
# What takes its time, and starts no thread and asks no GPU.
IMPORTED = (
    "torch",
    "nnlab.run",
    "nnlab.again",
    "matplotlib.backends.backend_svg",
    "contourpy",
    "pydantic",
    "tensorboard.summary",
    "tensorboard.plugins.hparams.api_pb2",
)
Order = dict[str, Any]


class Server:
    """Starts, signals and buries jobs as it is told over a socket."""

    def __init__(self, connection: socket.socket, *, fork: bool) -> None:
        self.connection = connection
        self.fork = fork
        self.jobs: dict[int, int] = {}  # number by process
        self.wake, self.woken = socket.socketpair()
        for end in (self.wake, self.woken):
            end.setblocking(False)

    def serve(self) -> None:
        """Obey until the sweep's process is gone and no job is left."""
        for number in IGNORED:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self.woken.fileno(), warn_on_full_buffer=False)
        rest = b""
        while True:
            ready, _, _ = select.select([self.connection, self.wake], [], [])
            if self.wake in ready:
                self._bury()
            if self.connection in ready:
                received = self._receive()
                if not received:
                    break
                *lines, rest = (rest + received).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))
        self._end_all()

    def _receive(self) -> bytes:
        try:
            return self.connection.recv(65536)
        except ConnectionError:
            return b""

    def _obey(self, order: Order) -> None:
        match order["do"]:
            case "hold":
                # Jobs inherit it: it is held until the last of them is gone.
                lock = os.open(order["file"], os.O_RDWR | os.O_CREAT, 0o644)
                os.set_inheritable(lock, True)
                fcntl.flock(lock, fcntl.LOCK_SH)
            case "start":
                self._start(order)
            case "signal":
                self._signal(order["job"], order["signal"])
            case _:
                raise ValueError(order)

    def _start(self, order: Order) -> None:
        parent = os.getpid()
        # A signal that comes before the job has put off the server's handlers waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
        process = os.fork()
        if process == 0:
            signal.set_wakeup_fd(-1)
            for end in (self.connection, self.wake, self.woken):
                end.close()
            become_job(order, parent=parent, fork=self.fork)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
        self.jobs[process] = order["job"]
        self._tell(order["job"], None)

    def _signal(self, job: int, number: int) -> None:
        # Not to the group: a worker that loads data would die, and with it the run. The
        # job tells those it has started; SIGKILL is for all of them.
        send: Callable[[int, int], None] = (
            os.killpg if number == signal.SIGKILL else os.kill
        )
        for process, its in self.jobs.items():
            if its == job:
                try:
                    send(process, number)
                except ProcessLookupError:  # before its setsid
                    os.kill(process, number)

    def _bury(self) -> None:
        with suppress(BlockingIOError):
            self.wake.recv(4096)
        while self.jobs:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            number = self.jobs.pop(process, None)
            if number is None:
                continue
            # What it has left behind; macOS refuses where that is nothing but zombies.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process, signal.SIGKILL)
            self._tell(number, os.waitstatus_to_exitcode(status))

    def _tell(self, job: int, status: int | None) -> None:
        message = json.dumps({"job": job, "status": status}).encode() + b"\n"
        with suppress(ConnectionError):  # nobody is left to hear it
            self.connection.sendall(message)

    def _end_all(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for job in list(self.jobs.values()):
                self._signal(job, number)
            until = time.monotonic() + GRACE_SECONDS
            while self.jobs and time.monotonic() < until:
                select.select([self.wake], [], [], 0.1)
                self._bury()


def import_once() -> None:
    """Import what runs use, and warm what only reads: Hydra's grammar, fonts."""
    leave_out_unused()
    for module in IMPORTED:
        importlib.import_module(module)
    from matplotlib.figure import Figure

    from nnlab.compose import Composer

    Composer().compose(["seed=1"])
    figure = Figure(layout="constrained")
    figure.add_subplot(title="$x$").contourf([[0.0, 1.0], [1.0, 0.0]])
    for kind in ("png", "svg"):
        figure.savefig(io.BytesIO(), format=kind)
    gc.collect()
    gc.freeze()  # a collection in a job would write to, and so copy, all of this


def main(arguments: list[str]) -> None:
    """Serve the socket that was handed over."""
    handle, mode = arguments
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    if mode == "fork":
        import_once()
    Server(socket.socket(fileno=int(handle)), fork=mode == "fork").serve()


if __name__ == "__main__":
    main(sys.argv[1:])
