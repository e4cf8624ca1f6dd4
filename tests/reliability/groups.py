"""Two processes that train together: one of them, or their starter, is killed."""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

from nnlab.sweep.job import Job
from reliability.bits import status
from reliability.lives import PATIENCE, Lives, children, holder
from reliability.models import QUIET, TWICE, XOR

GROUP = (
    *(*XOR, *QUIET, TWICE, "schedule=cosine", "strategy=ddp_fork"),
    *("trainer.devices=2", "data.batch_size=3", "data.repeats=40"),
    *("trainer.max_epochs=3", "checkpoint_seconds=0"),
)


def kill_one_of(place: Path, job: Job, lives: Lives, draw: random.Random) -> str:
    """Kill one of the group's processes; all of them must end by it."""
    starter = holder(place)
    ranks = children(starter)
    struck = draw.choice([starter, *ranks])
    with suppress(ProcessLookupError):  # it ended in this very moment
        os.kill(struck, signal.SIGKILL)
    ended = lives.end_of(job, PATIENCE)
    if ended not in ((-signal.SIGKILL, 0) if struck == starter else (0, 1)):
        return f"ended with {ended} after a kill: {lives.said[-300:]}"
    if ended == 0 and status(place) != "complete":
        return "ended with 0, and is not complete"
    return left_over(ranks)


def left_over(processes: list[int], seconds: float = 10) -> str:
    """Return which of the processes are there after that time."""
    until = time.monotonic() + seconds
    while alive := [each for each in processes if Path(f"/proc/{each}").exists()]:
        if time.monotonic() > until:
            return f"processes {alive} outlive the run"
        time.sleep(0.01)
    return ""
