"""Starts the processes of a run on this machine, and sees them all to their end.

This process does not train: it holds the folder, passes signals on, and when one of its
processes has failed it ends the others, which would wait for it for ever. A process is
given its run as data, not as a command line: it makes no folder of its own and repeats
no sweep (L#11300). None outlives this one, however it ends.
"""

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process, resource_tracker
from typing import Any, Protocol, cast

from nnlab.importing import imports
from nnlab.interrupt import Interrupt, end_by_signals, held_back
from nnlab.place import Place, Start

POLL_SECONDS = 0.02
GRACE_SECONDS = 8.0  # for the others, once one has failed
COMMAND = (sys.executable, "-P", "-m", "nnlab.rank")  # -P: nothing of this folder


@dataclass(frozen=True)
class Job:
    """A run as one of its processes is given it: plain data."""

    config: dict[str, Any]
    folder: str
    place: Place


Work = Callable[[Job], int]


class Process(Protocol):
    """What a started process is, however it was started."""

    pid: int

    def poll(self) -> int | None:
        """Return its exit status, minus a signal's number, or None while it runs."""
        ...


def run_group(
    config: dict[str, Any],
    folder: str,
    ranks: int,
    *,
    start: Start,
    work: Work,
    interrupt: Interrupt,
) -> tuple[int, int] | None:
    """Run as many processes; return which failed first, and its exit status.

    The status is minus a signal's number where that ended it. None: all is well.

    Args:
        config: of the run, its facts filled in.
        folder: of the run; it is there.
        ranks: how many processes.
        start: a new command, a copy of this process, or a new interpreter.
        work: what a process does with its job; of this module's importers, by name.
        interrupt: hears the signals, which are passed on.
    """
    port = _free_port()
    begin = _command if start == "command" else _forked_or_spawned(start, work)
    processes: list[Process] = []
    try:
        for rank in range(ranks):
            place = Place(rank, ranks, rank, ranks, 0, "127.0.0.1", port)
            with held_back():  # until each of them can end in silence
                processes.append(begin(Job(config, folder, place)))
        return _await(processes, interrupt)
    finally:
        _kill(processes)


def die_with(starter: int | None) -> None:
    """End this process when the one that started it is gone.

    Args:
        starter: a pipe that it holds open; None: it is multiprocessing's parent.
    """

    def wait() -> None:
        if starter is not None:
            while os.read(starter, 1):
                pass
        else:
            parent = parent_process()
            assert parent is not None
            parent.join()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def _await(processes: list[Process], interrupt: Interrupt) -> tuple[int, int] | None:
    passed_on, failed, failed_at = False, None, 0.0
    while any(process.poll() is None for process in processes):
        if interrupt.number is not None and not passed_on:
            passed_on = True
            _send(processes, interrupt.number)
        if failed is None:
            failed, failed_at = _failed(processes), time.monotonic()
            if failed and passed_on and failed[1] == -(interrupt.number or 0):
                return failed  # one had not begun: there is nothing to save together
        elif time.monotonic() - failed_at > GRACE_SECONDS:
            _send(processes, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
    return failed or _failed(processes)


def _failed(processes: list[Process]) -> tuple[int, int] | None:
    statuses = enumerate(process.poll() for process in processes)
    failed = [(rank, status) for rank, status in statuses if status]
    # one that was killed is why the others, which lost it in the same moment, failed
    return min(failed, key=lambda each: each[1] > 0, default=None)


def _command(job: Job) -> Process:
    process = subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,  # it is closed when this process ends, in any way
        env={**os.environ, **job.place.variables()},
        start_new_session=True,  # Ctrl-C comes to it through this process
    )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it ended at once: its status says so
        pickle.dump(job, process.stdin)
        process.stdin.flush()
    return process


class _Copy:
    """A process of multiprocessing, as Popen shows one."""

    def __init__(self, process: Any) -> None:
        self.process, self.pid = process, cast(int, process.pid)

    def poll(self) -> int | None:
        return self.process.exitcode


def _forked_or_spawned(start: Start, work: Work) -> Callable[[Job], Process]:
    context: Any = get_context(start)
    if start == "spawn":
        resource_tracker.ensure_running()  # here: it lets signals through

    def begin(job: Job) -> Process:
        sys.stdout.flush()  # else a copy prints it again
        sys.stderr.flush()
        process = context.Process(target=_work, args=(pickle.dumps(work), job))
        with warnings.catch_warnings():
            # Python warns of threads, which a copy has not; nothing here waits for one.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        return _Copy(process)

    return begin


def _work(pickled: bytes, job: Job) -> None:
    os.setsid()  # Ctrl-C comes to it through the process that started it
    end_by_signals()
    die_with(None)
    with imports():  # only here: until now it could end at once
        work: Work = pickle.loads(pickled)
    sys.exit(work(job))


def _send(processes: list[Process], number: int) -> None:
    for process in processes:
        if process.poll() is None:
            os.kill(process.pid, number)


def _kill(processes: list[Process]) -> None:
    _send(processes, signal.SIGKILL)
    while any(process.poll() is None for process in processes):
        time.sleep(POLL_SECONDS)
    for process in processes:
        if isinstance(process, subprocess.Popen) and process.stdin is not None:
            process.stdin.close()


def _free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
