"""Noise in the form of MNIST."""

import torch
from torch import Tensor

from nnlab.data_module import DataModule, Splits
from nnlab.limits import Count, Natural

EVALUATED = 1000


class RandomImages(DataModule):
    """Random grey images (batch, 1, 28, 28) with random labels of ten classes."""

    def __init__(self, *, batch_size: Count, items: Count, seed: Natural) -> None:
        super().__init__(batch_size=batch_size, seed=seed)
        self.items = items

    def facts(self) -> dict[str, int]:
        sizes = {"channels": 1, "height": 28, "width": 28}
        return {"input_size": 784, "classes": 10, **sizes}

    def load(self) -> Splits:
        generator = torch.Generator().manual_seed(self.seed)

        def draw(items: int) -> tuple[Tensor, Tensor]:
            image = torch.randint(256, (items, 1, 28, 28), generator=generator)
            label = torch.randint(10, (items,), generator=generator)
            return image.to(torch.uint8), label

        return Splits(draw(self.items), draw(EVALUATED), draw(EVALUATED))

    def prepare(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        image, label = batch
        return scaled(image), label


def scaled(image: Tensor) -> Tensor:
    """Return the image at mean 0, as nnlab's MNIST does: in place after one copy."""
    return image.float().sub_(33.3).mul_(1 / 78.6)
