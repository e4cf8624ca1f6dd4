"""Meter: means over an epoch and since the last look, kept on the device."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor


class Meter:
    """Weighted means of scalars, without a synchronisation or a hook per step.

    A step costs two additions a scalar; Lightning's `self.log` costs 50 times that.
    Sums weigh each batch by its examples, so that a short last batch counts for what
    it holds. They are part of the checkpoint: the metrics of an epoch that was
    interrupted are those of the whole epoch.
    """

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.weight = 0
        self._seen_sums: dict[str, Tensor] = {}
        self._seen_weight = 0

    def add(self, scalars: Mapping[str, Tensor], weight: int) -> None:
        """Add a batch's means, weighed by its number of examples."""
        for name, value in scalars.items():
            total = self.sums.get(name)
            if total is None:
                dtype = torch.float32 if value.device.type == "mps" else torch.float64
                total = torch.zeros((), dtype=dtype, device=value.device)
            elif total.device != value.device:
                total = total.to(value.device)
            self.sums[name] = total.add_(value.detach(), alpha=weight)
        self.weight += weight

    def recent(self) -> dict[str, float]:
        """Return the means since the last call, or nothing where nothing was added."""
        weight = self.weight - self._seen_weight
        if weight == 0:
            return {}
        means: dict[str, float] = {}
        for name, total in self.sums.items():
            seen = self._seen_sums.get(name)
            means[name] = (
                total.item() - (seen.item() if seen is not None else 0)
            ) / weight
        self._seen_sums = {name: total.clone() for name, total in self.sums.items()}
        self._seen_weight = self.weight
        return means

    def epoch_means(
        self, sum_over_ranks: Callable[[Tensor], Tensor] = lambda total: total
    ) -> dict[str, Tensor]:
        """Return the means of all that was added since the last call; start anew."""
        means: dict[str, Tensor] = {}
        if self.weight:
            device = next(iter(self.sums.values())).device
            weight = sum_over_ranks(torch.tensor(float(self.weight), device=device))
            for name, total in self.sums.items():
                means[name] = (sum_over_ranks(total) / weight).float()
        self.__init__()
        return means

    def state(self) -> dict[str, Any]:
        """Return plain containers and tensors, for the checkpoint."""
        return {
            "sums": {name: total.cpu().clone() for name, total in self.sums.items()},
            "weight": self.weight,
            "seen_sums": {name: seen.cpu() for name, seen in self._seen_sums.items()},
            "seen_weight": self._seen_weight,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
        self.sums = {name: total.clone() for name, total in state["sums"].items()}
        self.weight = state["weight"]
        self._seen_sums = dict(state["seen_sums"])
        self._seen_weight = state["seen_weight"]
