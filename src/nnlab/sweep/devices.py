"""What of this machine a job may use: GPUs of its own, a share of the CPU's threads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnlab.cores import cores_here

ACCELERATORS = ("gpu", "cuda", "auto")
VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Grant:
    """What one job was given, until it ends."""

    gpus: tuple[str, ...] = ()
    is_told: bool = False  # by the environment; a job that names its GPUs sees them all

    @property
    def environment(self) -> dict[str, str]:
        return {VISIBLE: ",".join(self.gpus)} if self.is_told else {}


class Devices:
    """The GPUs of this machine, one job's at a time.

    Args:
        gpus: their names, as `CUDA_VISIBLE_DEVICES` takes them.
    """

    def __init__(self, gpus: list[str]) -> None:
        self.gpus = gpus
        self._free = list(gpus)

    def take(self, trainer: Mapping[str, Any]) -> Grant | None:
        """Return what a job with this trainer gets; None where it has to wait."""
        if not self.gpus or trainer.get("accelerator", "auto") not in ACCELERATORS:
            return Grant()
        devices = trainer.get("devices", "auto")
        if isinstance(devices, list):
            wanted = [self.gpus[index] for index in devices]
            if not set(wanted) <= set(self._free):
                return None
        else:
            count = 1 if devices == "auto" else int(devices)
            count = len(self.gpus) if count == -1 else min(count, len(self.gpus))
            if count > len(self._free):
                return None
            wanted = self._free[:count]
        self._free = [gpu for gpu in self._free if gpu not in wanted]
        return Grant(tuple(wanted), is_told=not isinstance(devices, list))

    def give_back(self, grant: Grant) -> None:
        """Let the next job have them."""
        self._free = [g for g in self.gpus if g in self._free or g in grant.gpus]


def gpus_here(environment: Mapping[str, str], count: int) -> list[str]:
    """Return the names of the GPUs that this process may use.

    Args:
        environment: of this process.
        count: of those that it sees.
    """
    visible = environment.get(VISIBLE)
    if visible is None:
        return [str(index) for index in range(count)]
    return [name.strip() for name in visible.split(",") if name.strip()][:count]


def threads_each(environment: Mapping[str, str], workers: int) -> int:
    """Return a job's share of the CPU's threads: the user's word, else an equal one."""
    return threads_said(environment) or max(1, cores_here() // workers)


def threads_said(environment: Mapping[str, str]) -> int | None:
    """Return how many threads the user lets a process have; None where not said."""
    said = environment.get("OMP_NUM_THREADS", "").partition(",")[0]
    return (int(said) or None) if said.isdecimal() else None
