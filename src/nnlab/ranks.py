"""Ranks: the processes of a group meet, talk, and part."""

import os
from typing import Any, TypeVar

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.utilities.rank_zero import rank_zero_only
from torch import Tensor, distributed
from typing_extensions import override

from nnlab.place import Place

Value = TypeVar("Value")


def take_place(place: Place) -> None:
    """Tell this process's libraries where it stands in the group."""
    os.environ |= place.variables()
    vars(rank_zero_only)["rank"] = place.rank


def join(place: Place, *, on_gpu: bool) -> None:
    """Meet the others of the group; nothing where there are none, or they have met."""
    if place.ranks == 1 or distributed.is_initialized():
        return
    take_place(place)
    if on_gpu:
        torch.cuda.set_device(place.local_rank)
    distributed.init_process_group("nccl" if on_gpu else "gloo")


def leave() -> None:
    """Part from the others, after all that is done together."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def is_group() -> bool:
    """Whether there are others that this process has met."""
    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )


def from_first(value: Value) -> Value:
    """Return what rank 0 gives, on every rank."""
    if not is_group():
        return value
    values: list[Any] = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]


def sum_of_all(value: Tensor) -> Tensor:
    """Return the sum of all ranks' values."""
    if not is_group():
        return value
    total = value.clone()
    distributed.all_reduce(total)
    return total


def each_of_all(value: Tensor) -> Tensor:
    """Return all ranks' values (ranks, ...), in their order."""
    if not is_group():
        return value[None]
    values = [torch.empty_like(value) for _ in range(distributed.get_world_size())]
    distributed.all_gather(values, value)
    return torch.stack(values)


class GroupEnvironment(ClusterEnvironment):
    """Tells Lightning of the group, so that it neither looks for one nor starts one."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place

    @property
    @override
    def creates_processes_externally(self) -> bool:
        return True

    @property
    @override
    def main_address(self) -> str:
        return self.place.address

    @property
    @override
    def main_port(self) -> int:
        return self.place.port

    @staticmethod
    @override
    def detect() -> bool:
        return False  # it is always given

    @override
    def world_size(self) -> int:
        return self.place.ranks

    @override
    def set_world_size(self, size: int) -> None:
        """Nothing: the place is known."""

    @override
    def global_rank(self) -> int:
        return self.place.rank

    @override
    def set_global_rank(self, rank: int) -> None:
        """Nothing: the place is known."""

    @override
    def local_rank(self) -> int:
        return self.place.local_rank

    @override
    def node_rank(self) -> int:
        return self.place.node
