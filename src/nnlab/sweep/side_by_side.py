"""How many of a sweep's jobs run at once, where nobody says."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnlab.cores import control_groups, cores_here, lines_of
from nnlab.errors import UserError
from nnlab.numerals import counted
from nnlab.sweep.devices import ACCELERATORS, threads_said

MOST_A_CORE = 8  # jobs: more than that only wait for each other, and take memory
MEMORY_EACH = 2**30  # bytes: a job of the textbooks' networks needs less


def side_by_side(
    configs: Sequence[Mapping[str, Any]],
    *,
    gpus: int,
    environment: Mapping[str, str],
    memory: int | None,
) -> int:
    """Return a job a GPU; or as many as leave each its threads, and a gigabyte.

    Args:
        configs: of each kind of job.
        gpus: that the sweep may use.
        environment: of this process.
        memory: that is free, in bytes; None where nobody knows.
    """
    trainers = [config["trainer"] for config in configs]
    kinds = {trainer.get("accelerator", "auto") for trainer in trainers}
    if gpus and kinds & {*ACCELERATORS}:
        return gpus
    if "mps" in kinds or (sys.platform == "darwin" and kinds & {*ACCELERATORS}):
        return 1  # an Apple GPU, of which there is one
    cores = cores_here()
    most = max(_cores_of(config, environment, cores) for config in configs)
    room = cores if memory is None else memory // MEMORY_EACH
    return max(1, min(cores // most, room))


def check_workers(workers: int | None) -> None:
    """Check that this machine bears so many jobs at once.

    Raises:
        UserError: naming its cores.
    """
    cores = cores_here()
    if workers is not None and workers > MOST_A_CORE * cores:
        raise UserError(
            f"sweep.workers={workers} is more than {MOST_A_CORE} jobs for each of the "
            f"{counted(cores, 'core')} here; null runs as many at once as do well"
        )


def _cores_of(
    config: Mapping[str, Any], environment: Mapping[str, str], cores: int
) -> int:
    threads = config.get("threads") or threads_said(environment) or cores
    devices = str(config["trainer"].get("devices"))  # also auto, -1, a list
    return threads * max(1, int(devices) if devices.isdecimal() else 1)


def free_memory() -> int | None:
    """Return the bytes that may be had without swapping; None where nobody knows.

    Where a container or a batch system sets a limit (cgroup, version 2), no more than
    that leaves; what it keeps of files can be had.
    """
    known = [*_free_in_all(), *(_free_in(folder) for folder in control_groups())]
    return min((free for free in known if free is not None), default=None)


def _free_in_all() -> Iterable[int]:
    for line in lines_of(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _free_in(folder: Path) -> int | None:
    most, now = (lines_of(folder / f"memory.{name}") for name in ("max", "current"))
    if not (most and now and most[0].isdecimal()):
        return None
    counts = dict(line.split() for line in lines_of(folder / "memory.stat"))
    kept = int(counts.get("inactive_file", 0))
    return max(0, int(most[0]) - int(now[0]) + kept)
