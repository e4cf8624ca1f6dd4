"""A task's exception as a sentence."""

import errno

from nnlab.corpus.worker import Task
from nnlab.errors import RunFailed, UserError
from nnlab.unreadable import why


def explained(task: Task, error: BaseException) -> RunFailed | UserError:
    """Return what to tell a person whose task failed."""
    if isinstance(error, UserError | RunFailed):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunFailed(
            f"{task.folder} has no room left; make some, and the same command goes on"
        )
    place = str(getattr(error, "filename", None) or task.source or task.folder)
    if isinstance(error, PermissionError):
        does = "read" if place == task.source else "written"
        return UserError(f"{place} cannot be {does}: {why(error)}")
    said = f"{place}: {why(error)}" if isinstance(error, OSError) else _named(error)
    return RunFailed(
        f"stage {task.stage} failed at unit {task.unit}, {said}; what is done stays"
    )


def _named(error: BaseException) -> str:
    """Return what no reader expects as Python says it: it is to be reported."""
    said = str(error).splitlines()[0] if str(error) else "no reason given"
    return f"{type(error).__name__}: {said}"
