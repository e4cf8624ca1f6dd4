"""Work in a fork of this process: what it wrote, what it did, how it ended."""

import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# What a config, a checkpoint or a plugin could be used for (docs.python.org, "Audit
# events table"): the kernel of Python itself tells of it.
DEEDS = (
    *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen"),
    *("pty.spawn", "socket.connect", "socket.bind", "urllib.Request", "ftplib.connect"),
    *("shutil.rmtree", "os.remove", "os.rename", "webbrowser.open"),
)


@dataclass(frozen=True)
class Ended:
    """How a fork ended: its exit status, what it said, what it did meanwhile."""

    status: int
    errors: str
    deeds: list[str] = field(default_factory=list)


def ended_fork(work: Callable[[], int], folder: Path, *, watch: bool = False) -> Ended:
    """Do the work in a fork, in that folder.

    Args:
        work: returns the exit status.
        folder: its current one; what it says lies beside it.
        watch: note what it does of `DEEDS`.
    """
    said = folder.parent / f"{folder.name}.said"
    done = folder.parent / f"{folder.name}.done"
    done.write_text("")
    process = os.fork()
    if process == 0:
        status = 99
        try:
            os.chdir(folder)
            _redirect(said)
            if watch:
                _watch(done)
            status = work()
        except BaseException:  # noqa: BLE001 -- this copy must not go on
            traceback.print_exc()
        finally:
            try:
                sys.stderr.flush()
            finally:  # whatever that raises: this copy must not go on
                os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    errors = said.read_text(encoding="utf-8", errors="replace")
    return Ended(status, errors, done.read_text().splitlines())


def _redirect(said: Path) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(nowhere, 1)
    os.dup2(file, 2)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="replace", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="replace", closefd=False)


def _watch(done: Path) -> None:
    file = os.open(done, os.O_WRONLY | os.O_APPEND)

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event in DEEDS:
            os.write(file, f"{event} {arguments}\n".encode())

    sys.addaudithook(note)
