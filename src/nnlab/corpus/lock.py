"""One preparation at a time in a folder; the lock is gone with the process."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from nnlab.errors import UserError


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Make the folder and hold it; one that stays empty is taken away again.

    Raises:
        UserError: where it cannot be made, or another process holds it.
    """
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise UserError(
            f"data.folder={folder} cannot be written: {error.strerror}"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise UserError(
            f"data.folder={folder} is being prepared by another process; wait for it, "
            "or end it"
        ) from None
    finally:
        os.close(handle)
        if is_new and not any(folder.iterdir()):
            folder.rmdir()  # a mistake leaves nothing behind
