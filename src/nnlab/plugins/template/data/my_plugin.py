"""Two clouds of points in the plane, a class each."""

import torch
from torch import Tensor

from nnlab.data_module import DataModule, Splits
from nnlab.limits import Count, Natural, NonNegative


class MyPlugin(DataModule):
    """Points around (-1, 0) and (1, 0), drawn by the seed, anew for each split."""

    def __init__(
        self, *, points: Count, spread: NonNegative, batch_size: Count, seed: Natural
    ) -> None:
        super().__init__(batch_size=batch_size, seed=seed)
        self.points, self.spread = points, spread

    def facts(self) -> dict[str, int]:
        return {"input_size": 2, "classes": 2}

    def load(self) -> Splits:
        generator = torch.Generator().manual_seed(self.seed)
        return Splits(*(self._draw(generator) for _ in range(3)))

    def _draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        label = torch.arange(self.points) % 2
        center = torch.stack([2.0 * label - 1, torch.zeros(self.points)], dim=1)
        noise = torch.randn(self.points, 2, generator=generator)
        return center + self.spread * noise, label
