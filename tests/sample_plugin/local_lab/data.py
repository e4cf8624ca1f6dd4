"""Two moons: two half circles that reach into each other, with noise."""

import math

import torch
from torch import Tensor

from nnlab.data_module import DataModule, Splits
from nnlab.limits import Count, Natural, NonNegative


class Moons(DataModule):
    """Points in the plane, two classes, drawn anew for each split by the seed."""

    def __init__(
        self, *, points: Count, noise: NonNegative, batch_size: Count, seed: Natural
    ) -> None:
        super().__init__(batch_size=batch_size, seed=seed)
        self.points = points
        self.noise = noise

    def facts(self) -> dict[str, int]:
        return {"input_size": 2, "classes": 2}

    def load(self) -> Splits:
        generator = torch.Generator().manual_seed(self.seed)
        return Splits(*(self._draw(generator) for _ in range(3)))

    def _draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        label = torch.arange(self.points) % 2
        angle = math.pi * torch.rand(self.points, generator=generator)
        upper = torch.stack([angle.cos(), angle.sin()], dim=1)
        lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], dim=1)
        x = torch.where(label[:, None] == 0, upper, lower)  # (points, 2)
        noise = torch.randn(self.points, 2, generator=generator)
        return x + self.noise * noise, label
