"""Points on the line y = slope * x + offset."""

import torch
from torch import Tensor

from nnlab.data_module import DataModule, Splits
from nnlab.limits import Count, Natural


class Line(DataModule):
    """One number in, one number out, without noise."""

    def __init__(
        self,
        *,
        slope: float,
        offset: float,
        points: Count,
        batch_size: Count,
        seed: Natural,
    ) -> None:
        super().__init__(batch_size=batch_size, seed=seed)
        self.slope, self.offset = slope, offset
        self.points = points

    def facts(self) -> dict[str, int]:
        return {"input_size": 1, "outputs": 1}

    def load(self) -> Splits:
        generator = torch.Generator().manual_seed(self.seed)
        return Splits(*(self._draw(generator) for _ in range(3)))

    def _draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = torch.randn(self.points, 1, generator=generator)
        return x, self.slope * x + self.offset
