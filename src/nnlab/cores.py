"""How many cores this process may use, of those that there are."""

import os
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


def cores_here() -> int:
    """Return the cores that the system and a container's quota leave; at least one."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    for folder in control_groups():
        match " ".join(lines_of(folder / "cpu.max")).split():
            case [quota, period] if quota.isdecimal() and int(period):
                cores = min(cores, int(quota) // int(period))
            case _:
                pass
    return max(1, cores)


def control_groups() -> Iterator[Path]:
    """Yield the folders that say what may be used: this process's group, those above.

    Of Linux's control groups, version 2; nothing elsewhere.
    """
    for line in lines_of(Path("/proc/self/cgroup")):
        if line.startswith("0::/"):
            own = GROUPS / line.removeprefix("0::/")
            yield own
            if own != GROUPS:
                yield from own.parents[: len(own.relative_to(GROUPS).parts)]


def lines_of(file: Path) -> list[str]:
    """Return the lines of one of the system's files; none where it is not there."""
    try:
        return file.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
