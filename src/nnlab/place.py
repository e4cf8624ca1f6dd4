"""Place: which process of a group this one is, whoever started it.

A run of several processes is a group of equals that do the same on different parts of
each batch; rank 0 is the one that writes. They are started by nnlab itself (group.py),
by torchrun, or by Slurm's srun, and all of them are told who they are through the
environment. Nothing here imports torch.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Literal

Start = Literal["command", "fork", "spawn"]  # how nnlab starts a process
NAMES = (
    "RANK",
    "WORLD_SIZE",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "GROUP_RANK",
    "MASTER_ADDR",
    "MASTER_PORT",
)


@dataclass(frozen=True)
class Place:
    """One process's place in its group; `address:port` is where rank 0 listens."""

    rank: int
    ranks: int
    local_rank: int
    local_ranks: int
    node: int
    address: str
    port: int

    @property
    def nodes(self) -> int:
        return self.ranks // self.local_ranks

    def variables(self) -> dict[str, str]:
        """Return what tells a process its place: torchrun's names."""
        return dict(zip(NAMES, map(str, astuple(self)), strict=True))


ALONE = Place(0, 1, 0, 1, 0, "127.0.0.1", 0)


def place(environment: Mapping[str, str] = os.environ) -> Place:
    """Return this process's place, `ALONE` where nobody started a group."""
    if {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= environment.keys():
        return _as_torchrun_says(environment)
    if int(environment.get("SLURM_NTASKS", 1)) > 1 and "SLURM_PROCID" in environment:
        return _as_slurm_says(environment)
    return ALONE


def is_first() -> bool:
    """Whether this process is the one of its group that writes."""
    return place().rank == 0


def _as_torchrun_says(environment: Mapping[str, str]) -> Place:
    rank, ranks = int(environment["RANK"]), int(environment["WORLD_SIZE"])
    return Place(
        rank=rank,
        ranks=ranks,
        local_rank=int(environment.get("LOCAL_RANK", rank)),
        local_ranks=int(environment.get("LOCAL_WORLD_SIZE", ranks)),
        node=int(environment.get("GROUP_RANK", 0)),
        address=environment["MASTER_ADDR"],
        port=int(environment["MASTER_PORT"]),
    )


def _as_slurm_says(environment: Mapping[str, str]) -> Place:
    rank, ranks = int(environment["SLURM_PROCID"]), int(environment["SLURM_NTASKS"])
    nodes = environment.get("SLURM_JOB_NODELIST", "127.0.0.1")
    job = int(environment.get("SLURM_JOB_ID", 0))
    return Place(
        rank=rank,
        ranks=ranks,
        local_rank=int(environment.get("SLURM_LOCALID", rank)),
        local_ranks=ranks // int(environment.get("SLURM_NNODES", 1)),
        node=int(environment.get("SLURM_NODEID", 0)),
        address=environment.get("MASTER_ADDR", _first_node(nodes)),
        # every process works it out alike, and two jobs on a node differ
        port=int(environment.get("MASTER_PORT", 15000 + job % 10000)),
    )


def _first_node(nodes: str) -> str:
    """Return node07 of `node[07-09,12],other3`."""
    first = re.sub(r"\[(\d+).*?\]", r"\1", nodes)
    return first.split(",")[0]
