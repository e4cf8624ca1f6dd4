"""The part of a file that is being written: one process's own, locked while it lives.

Two processes may write the same file at once, each its own part, and the last to end
gives its name to the whole. What a killed one left is known by its lock, which the
kernel takes away with the process, and goes when the file is written next.
"""

import fcntl
import glob
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def part_of(target: Path) -> Generator[IO[bytes]]:
    """Give an empty file beside the target, which takes its name at the end.

    What is raised within leaves the target as it was, and no part.
    """
    sweep_parts(target)
    mine = f"{target.name}.{socket.gethostname()}-{os.getpid()}.part"
    part = target.with_name(mine)
    with _locked(part) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def sweep_parts(target: Path) -> None:
    """Delete the parts of a file whose process is gone."""
    for name in glob.glob(f"{glob.escape(str(target))}.*.part"):  # noqa: PTH207
        with suppress(OSError), Path(name).open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises: it is alive
            if _is_still(file):
                Path(name).unlink()


def _locked(part: Path) -> IO[bytes]:
    """Open a part for this process alone; who sweeps may come in between."""
    while True:
        file = open(part, "r+b", opener=_made)  # noqa: SIM115
        with suppress(OSError):  # a disk without locks: then nobody sweeps either
            fcntl.flock(file, fcntl.LOCK_EX)
        if _is_still(file):
            file.truncate(0)
            return file
        file.close()


def _made(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o666)  # not emptied before it is locked


def _is_still(file: IO[bytes]) -> bool:
    """Whether a file has the name by which it was opened."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), Path(file.name).stat())
    except FileNotFoundError:
        return False
