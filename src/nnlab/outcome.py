"""How a run ended, on record: complete, failed, or interrupted and put off."""

import errno
import logging
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager, suppress

from nnlab.errors import RunFailed
from nnlab.folder import RunFolder
from nnlab.interrupt import Interrupted
from nnlab.memory import is_out_of_memory, what_to_lower
from nnlab.place import is_first

log = logging.getLogger("nnlab.run")

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def on_record(folder: RunFolder) -> Generator[None]:
    """Leave in status.json how the run ended, and in log.txt where it failed."""
    try:
        with failure_on_record(folder):
            yield
    except Interrupted as interrupted:
        if is_first():
            folder.write_status("interrupted", str(interrupted))
            said = f"stopped by {interrupted}; continue with resume={folder.path}"
            log.debug("%s", said)
            sys.stderr.write(f"nnlab: {said}\n")
            if interrupted.number == signal.SIGUSR1:
                log.info("%s", requeue())
        raise


@contextmanager
def failure_on_record(folder: RunFolder) -> Generator[None]:
    """Leave in status.json and log.txt why the run failed, in whichever process.

    Raises:
        RunFailed: with the cause in one sentence.
    """
    try:
        yield
    except Exception as error:
        cause = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        story = folder.path / "log.txt"
        said = f"the run failed: {cause}; {story} tells where"
        if isinstance(error, RunFailed):
            cause = said = str(error)
        elif is_out_of_memory(error):
            cause = said = what_to_lower(folder.config())
        elif isinstance(error, OSError) and error.errno in NO_SPACE:
            cause = said = (
                f"no space is left to write {folder.path}; its last checkpoint is as "
                f"it was: make room, then continue with resume={folder.path}"
            )
        with suppress(OSError):  # there may be no space for this either
            folder.write_failure(cause)
            with story.open("a", encoding="utf-8") as file:
                traceback.print_exc(file=file)
        raise RunFailed(said) from error


def requeue() -> str:
    """Ask Slurm to start this job again; return what came of it, in one sentence."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        return "SIGUSR1 puts a Slurm job off, and this is none: the run is saved"
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        names = ("SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID")
        job = "_".join(os.environ[name] for name in names)
    command = ["scontrol", "requeue", job]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"the run is saved, and {' '.join(command)} failed: {error.strerror}"
    if done.returncode:
        reason = " ".join(done.stderr.split())
        return f"the run is saved, and {' '.join(command)} failed: {reason}"
    return f"Slurm will start job {job} again"
