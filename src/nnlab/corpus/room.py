"""Whether what is fetched can be kept where it is to lie."""

import errno
import shutil
from pathlib import Path

from nnlab.errors import RunFailed, UserError

RESERVE = 1 << 28  # bytes that stay free on a disk


def require_room(folder: Path, needed: int) -> None:
    """Raise `RunFailed` where so many bytes would fill the disk."""
    free = shutil.disk_usage(folder).free
    if free < needed + RESERVE:
        raise RunFailed(
            f"{folder} has {free / 1e9:.2f} GB free and a file needs "
            f"{(needed + RESERVE) / 1e9:.2f} GB; make room, or name another "
            "data.data_dir"
        )


def refuse_hopeless(error: Exception, folder: Path) -> None:
    """Raise where another attempt would end like this one."""
    if isinstance(error, PermissionError):
        raise UserError(
            f"{error.filename or folder} cannot be written; name another data.data_dir"
        ) from error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise RunFailed(
            f"{folder} has no room left; make some, and the same command goes on"
        ) from error
