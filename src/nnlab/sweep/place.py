"""A sweep's folder: one sweep's alone, from its first job to its last."""

import fcntl
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from nnlab.errors import UserError
from nnlab.folder import RunFolder
from nnlab.interrupt import Interrupted
from nnlab.sweep.job_server import JOBS_LOCK

# The jobs of a sweep that was killed save their state and end; the next one waits.
WAIT_SECONDS = 60.0


@contextmanager
def sweep_folder(output_dir: str, name: str | None) -> Generator[Path]:
    """Make or find a sweep's folder, and hold it.

    Raises:
        UserError: where it cannot be written, or another sweep is at work in it.
    """
    parent = Path(output_dir) / "sweep"
    try:
        path = _named(parent, name) if name else _new(parent)
        (path / "logs").mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{parent} cannot be written: {error.strerror}; give another output_dir="
        ) from error
    with RunFolder(path).acquire():
        try:
            _wait_for_orphans(path)
            yield path
        except KeyboardInterrupt:  # not before anything was written
            raise Interrupted(signal.SIGINT) from None


def _named(parent: Path, name: str) -> Path:
    (parent / name).mkdir(parents=True, exist_ok=True)
    return parent / name


def _new(parent: Path) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    while True:
        path = parent / datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")
        try:
            path.mkdir()
        except FileExistsError:
            continue  # another sweep of this microsecond
        return path


def _wait_for_orphans(path: Path) -> None:
    """Wait until no job of a sweep that was killed is left."""
    until = time.monotonic() + WAIT_SECONDS
    with (path / JOBS_LOCK).open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise UserError(
                        f"{path}: jobs of a sweep that was killed are still running; "
                        "end them, or wait"
                    ) from None
                time.sleep(0.05)
            else:
                return
