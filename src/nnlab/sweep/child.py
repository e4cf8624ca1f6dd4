"""What a forked process does first: away with what it has of the server's."""

import ctypes
import os
import runpy
import signal
import sys
import traceback
from typing import Any, NoReturn

from nnlab.ending import end

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the sweep's process decides
RESTORED = (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def become_job(order: dict[str, Any], *, parent: int, fork: bool) -> NoReturn:
    """Turn this fork of the server into the job; ends the process.

    Args:
        order: `words` for nnlab, the `environment`, the `threads` of a CPU it may use,
            the `log` file.
        parent: the server's process.
        fork: run here; else as a fresh interpreter.
    """
    status = 1
    try:
        stand_alone(parent)
        redirect(order["log"])
        os.environ.clear()
        os.environ.update(order["environment"])
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if not fork:
            command = order["interpreter"]
            os.execve(command[0], [*command, *order["words"]], os.environ)
        status = run_here(order["words"], order["threads"])
    except KeyboardInterrupt:  # before nnlab itself hears of it
        status = 128 + signal.SIGINT
    except BaseException:  # noqa: BLE001  # told in the job's log
        traceback.print_exc()
    finally:
        end(status)


def become_witness(order: dict[str, Any], answer: int, *, parent: int) -> NoReturn:
    """Say what `nnlab.sweep.machine` finds, or nothing; ends the process.

    Args:
        order: what it is about.
        answer: the open file to write to.
        parent: the server's process.
    """
    try:
        from nnlab.sweep.machine import testify

        stand_alone(parent, by=signal.SIGKILL)  # it has nothing to save
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the sweep's process decides
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        testify(bytes.fromhex(order["about"]), answer)
    finally:
        os._exit(1)


def stand_alone(parent: int, *, by: int = signal.SIGTERM) -> None:
    """Leave the server's group and its handlers, and end by a signal when it does."""
    os.setsid()  # a group of its own, to be ended as a whole
    die_with(parent, by)
    for number in RESTORED:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def die_with(parent: int, number: int) -> None:
    """Ask the kernel to send this signal when the parent is gone; 0: to send none."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it was quicker
            os._exit(128 + number)


def redirect(log: str) -> None:
    """Let nothing be read, and write everything to the log, line by line."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, target in ((nothing, 0), (file, 1), (file, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(file)
    options: dict[str, Any] = {
        "mode": "w",
        "buffering": 1,
        "encoding": "utf-8",
        "errors": "replace",
        "closefd": False,
    }
    sys.stdout = sys.__stdout__ = open(1, **options)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, **options)  # noqa: SIM115


def run_here(words: list[str], threads: int) -> int:
    """Do what `python -m nnlab` does with these words, and return its exit status."""
    import torch
    from threadpoolctl import threadpool_limits  # pyright: ignore[reportMissingTypeStubs]

    torch.set_num_threads(threads)
    if threads > 1:  # the server's have one, for a fork leaves threads behind
        threadpool_limits(threads)
    sys.argv = ["nnlab", *words]
    try:
        # As __main__: Lightning starts the other processes of a distributed job by it.
        runpy.run_module("nnlab", run_name="__main__", alter_sys=True)
    except SystemExit as leave:
        if leave.code is None or isinstance(leave.code, int):
            return leave.code or 0
        sys.stderr.write(f"{leave.code}\n")
        return 1
    return 0
