"""Meter: means over an epoch and since the last look, kept on the device."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

MOST_WAITING = 1024  # scalars' steps that are not read yet
Across = Callable[[Tensor], Tensor]  # something of all ranks


def itself(value: Tensor) -> Tensor:
    """Return what one process has of all."""
    return value


def alone(value: Tensor) -> Tensor:
    """Return what each of one process has."""
    return value[None]


class Meter:
    """Weighted means of scalars, without a synchronisation or a hook per step.

    A step costs an addition; Lightning's `self.log` costs a hundred times that. What a
    device computed stays there until somebody looks, and is then read all at once. Sums
    weigh each batch by its examples, so that a short last batch counts for what it
    holds. They are part of the checkpoint: the metrics of an epoch that was interrupted
    are those of the whole epoch.
    """

    def __init__(self) -> None:
        self.weight = 0
        self._sums: dict[str, float] = {}
        self._waiting: list[tuple[int, dict[str, Tensor]]] = []
        self._device = torch.device("cpu")
        self._seen: Tensor | None = None  # totals at the last look
        self._seen_weight = 0

    def add(self, scalars: Mapping[str, Tensor], weight: int) -> None:
        """Add a batch's means, weighed by its number of examples."""
        self.weight += weight
        if all(value.is_cpu for value in scalars.values()):
            self._add({name: scalars[name].item() for name in scalars}, weight)
            return
        # clones: a CUDA graph writes its next result over this one
        kept = {name: value.detach().clone() for name, value in scalars.items()}
        self._waiting.append((weight, kept))
        if len(self._waiting) == MOST_WAITING:
            self._read()

    @property
    def sums(self) -> dict[str, float]:
        """The sum of each scalar times its weight."""
        self._read()
        return self._sums

    def recent(self, sum_over_ranks: Across = itself) -> dict[str, float]:
        """Return the means since the last call, or nothing where nothing was added."""
        if self.weight == self._seen_weight:
            return {}
        now = self._totals()
        weight, *sums = sum_over_ranks(now - self._seen_like(now)).tolist()
        self._seen, self._seen_weight = now, self.weight
        return {
            name: total / weight for name, total in zip(self.sums, sums, strict=True)
        }

    def epoch_means(self, sum_over_ranks: Across = itself) -> dict[str, Tensor]:
        """Return the means of all that was added since the last call; start anew."""
        means: dict[str, Tensor] = {}
        if self.weight:
            weight, *sums = sum_over_ranks(self._totals()).unbind()
            for name, total in zip(self.sums, sums, strict=True):
                means[name] = (total / weight).float()
        self.__init__()
        return means

    def state(self, each_of_ranks: Across = alone) -> dict[str, Any]:
        """Return plain containers and tensors of all ranks, for the checkpoint."""
        now = self._totals()
        return {
            "names": list(self._sums),
            "totals": each_of_ranks(now).cpu(),  # (ranks, 1 + names)
            "seen": each_of_ranks(self._seen_like(now)).cpu(),
        }

    def restore(self, state: Mapping[str, Any], rank: int = 0, ranks: int = 1) -> None:
        """Take back what `state` gave; among other ranks than it was of, as a sum."""
        totals, seen = (_of_rank(state[key], rank, ranks) for key in ("totals", "seen"))
        self.weight, self._seen_weight = int(totals[0]), int(seen[0])
        self._sums = dict(zip(state["names"], totals[1:].tolist(), strict=True))
        self._seen = seen

    def _read(self) -> None:
        """Fetch what waits, in one piece, and add it in the order in which it came."""
        waiting, self._waiting = self._waiting, []
        values = [value for _, scalars in waiting for value in scalars.values()]
        if not values:
            return
        self._device = values[-1].device
        numbers = iter(_numbers(values))
        for weight, scalars in waiting:
            self._add({name: next(numbers) for name in scalars}, weight)

    def _add(self, numbers: Mapping[str, float], weight: int) -> None:
        for name, number in numbers.items():
            self._sums[name] = self._sums.get(name, 0.0) + number * weight

    def _seen_like(self, now: Tensor) -> Tensor:
        seen = torch.zeros_like(now)
        if self._seen is not None:  # of a scalar that is new since, nothing was seen
            seen[: len(self._seen)] = self._seen
        return seen

    def _totals(self) -> Tensor:
        """Return the weight and the sums (1 + names) as one tensor: one message."""
        sums = self.sums.values()
        dtype = torch.float32 if self._device.type == "mps" else torch.float64
        return torch.tensor([self.weight, *sums], dtype=dtype, device=self._device)


def _numbers(values: list[Tensor]) -> list[float]:
    if len({(value.dtype, value.device) for value in values}) > 1:
        return [value.item() for value in values]
    return torch.stack(values).tolist()


def _of_rank(rows: Tensor, rank: int, ranks: int) -> Tensor:
    if len(rows) == ranks:
        return rows[rank]
    return rows.sum(dim=0) if rank == 0 else torch.zeros_like(rows[0])
