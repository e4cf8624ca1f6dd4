"""A task's exception as a sentence."""

import errno

from nnlab.corpus.worker import Task
from nnlab.errors import RunFailed, UserError


def explained(task: Task, error: BaseException) -> RunFailed | UserError:
    """Return what to tell a person whose task failed."""
    if isinstance(error, UserError | RunFailed):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunFailed(
            f"{task.folder} has no room left; make some, and the same command goes on"
        )
    if isinstance(error, PermissionError):
        return UserError(f"{error.filename or task.folder} cannot be written")
    said = str(error).splitlines()[0] if str(error) else "no reason given"
    return RunFailed(
        f"stage {task.stage} failed at unit {task.unit} "
        f"({task.source or task.folder}): {type(error).__name__}: {said}; "
        "what is done stays"
    )
