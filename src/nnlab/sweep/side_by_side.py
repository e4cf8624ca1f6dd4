"""How many of a sweep's jobs run at once, where nobody says."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnlab.sweep.devices import ACCELERATORS, cores_here, threads_said

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
    if gpus and any(t.get("accelerator", "auto") in ACCELERATORS for t in trainers):
        return gpus
    cores = cores_here()
    most = max(_cores_of(config, environment, cores) for config in configs)
    room = cores if memory is None else memory // MEMORY_EACH
    return max(1, min(cores // most, room))


def _cores_of(
    config: Mapping[str, Any], environment: Mapping[str, str], cores: int
) -> int:
    threads = config.get("threads") or threads_said(environment) or cores
    devices = config["trainer"].get("devices")
    return threads * (devices if isinstance(devices, int) and devices > 0 else 1)


def free_memory() -> int | None:
    """Return the bytes that may be had without swapping; None where nobody knows.

    In a container no more than its own limit leaves (cgroup, version 2).
    """
    known = [*_free_in_all(), *_free_in_the_container()]
    return min(known, default=None)


def _free_in_all() -> Iterable[int]:
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _free_in_the_container() -> Iterable[int]:
    folder = Path("/sys/fs/cgroup")
    most, now = (_lines(folder / f"memory.{name}") for name in ("max", "current"))
    if most and now and most[0].isdecimal():
        yield max(0, int(most[0]) - int(now[0]))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
