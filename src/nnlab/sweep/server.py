"""The process that a sweep's jobs come from.

It is a fork of the command, or, where that cannot be copied,
`python -m nnlab.sweep.server <socket>`. With `fork` it imports torch and Lightning
once, and each job is a fork of it: a job's start costs milliseconds instead of seconds.
It has one thread, has drawn no random number, and has asked no GPU, so that a job finds
what a fresh interpreter would.
Without `fork` it imports nothing, and each job is a fresh interpreter.

Orders come as lines of JSON, `nnlab.sweep.job_server` says which. When the sweep's own
process is gone, however it ended, the jobs are asked to save their state and end.
"""

import fcntl
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from nnlab.sweep.child import IGNORED, become_job, become_witness, die_with
from nnlab.sweep.warm import fill_caches, import_once, prepare_for

GRACE_SECONDS = 30.0  # for jobs whose sweep is gone
Order = dict[str, Any]


class Server:
    """Starts, signals and buries jobs as it is told over a socket."""

    def __init__(self, connection: socket.socket, *, fork: bool) -> None:
        self.connection = connection
        self.fork = fork
        # Number by process; None of one that only looks at the machine.
        self.jobs: dict[int, int | None] = {}
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
            case "look":
                self._look(order)
            case "signal":
                self._signal(order["job"], order["signal"])
            case _:
                raise ValueError(order)

    def _start(self, order: Order) -> None:
        if self.fork:
            fill_caches()
            prepare_for(order["words"])
        process = self._fork(lambda parent: self._become(order, parent))
        self.jobs[process] = order["job"]
        self._tell({"job": order["job"], "status": None})

    def _become(self, order: Order, parent: int) -> NoReturn:
        self.connection.close()
        become_job(order, parent=parent, fork=self.fork)

    def _look(self, order: Order) -> None:
        """Have a process of its own answer, which may ask a GPU's driver."""
        answer, theirs = os.pipe()
        process = self._fork(
            lambda parent: become_witness(order, theirs, parent=parent)
        )
        os.close(theirs)
        os.set_blocking(answer, False)
        self.jobs[process] = None
        fill_caches()  # meanwhile
        while process in self.jobs:
            ready, _, _ = select.select([answer, self.connection, self.wake], [], [])
            if answer in ready or self.connection in ready:  # or nobody asks
                os.kill(process, signal.SIGKILL)  # it has no more to say
                break
            self._bury()
        said = b""
        with suppress(BlockingIOError):
            said = os.read(answer, 65536)
        os.close(answer)
        self._tell(json.loads(said) if said else {})

    def _fork(self, become: Callable[[int], NoReturn]) -> int:
        parent = os.getpid()
        # A signal that comes before the child has put off the server's handlers waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
        process = os.fork()
        if process == 0:
            signal.set_wakeup_fd(-1)
            for end in (self.wake, self.woken):
                end.close()
            become(parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
        return process

    def _signal(self, job: int | None, number: int) -> None:
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
            if process not in self.jobs:
                continue
            job, code = self.jobs.pop(process), os.waitstatus_to_exitcode(status)
            # What it has left behind; macOS refuses where that is nothing but zombies.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process, signal.SIGKILL)
            if job is not None:
                self._tell({"job": job, "status": code})

    def _tell(self, message: dict[str, Any]) -> None:
        with suppress(ConnectionError):  # nobody is left to hear it
            self.connection.sendall(json.dumps(message).encode() + b"\n")

    def _end_all(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for job in list(self.jobs.values()):
                self._signal(job, number)
            until = time.monotonic() + GRACE_SECONDS
            while self.jobs and time.monotonic() < until:
                select.select([self.wake], [], [], 0.1)
                self._bury()


def serve(connection: socket.socket, *, fork: bool, parent: int | None = None) -> None:
    """Serve until the other end is gone; `parent` is who has forked this process."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    if parent is not None:
        die_with(parent, signal.SIGKILL)  # there is no job yet that could save anything
    if fork:
        import_once()
    if parent is not None:
        die_with(parent, 0)
    Server(connection, fork=fork).serve()


def main(arguments: list[str]) -> None:
    """Serve the socket that was handed over."""
    handle, mode = arguments
    serve(socket.socket(fileno=int(handle)), fork=mode == "fork")


if __name__ == "__main__":
    main(sys.argv[1:])
