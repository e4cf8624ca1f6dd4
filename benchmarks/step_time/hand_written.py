"""The loop that one writes by hand: what nnlab's steps are measured against."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def mlp() -> nn.Module:
    """Return 784-300-10."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 300), nn.Tanh(), nn.Linear(300, 10)
    )


def lenet5() -> nn.Module:
    """Return LeNet-5 as textbooks draw it, conf/model/lenet5.yaml's default."""
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 120, kernel_size=5),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


NETWORKS = {"mlp": mlp, "lenet5": lenet5}


class Loop:
    """Trains on batches drawn by index from images in memory.

    It looks at the loss once in a turn, as one does.
    """

    def __init__(
        self,
        network: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        scale: Callable[[Tensor], Tensor],
        batch_size: int,
    ) -> None:
        self.network, self.images, self.labels = network, images, labels
        self.scale, self.batch_size = scale, batch_size
        self.optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
        self.order = torch.randperm(len(images))
        self.first = 0

    def take(self, steps: int) -> float:
        """Train for that many steps; return the last loss."""
        loss = torch.tensor(0.0)
        for _ in range(steps):
            index = self.order[self.first : self.first + self.batch_size]
            image = self.scale(self.images.index_select(0, index))
            label = self.labels.index_select(0, index)
            self.optimizer.zero_grad()
            loss = F.cross_entropy(self.network(image), label)
            loss.backward()
            self.optimizer.step()
            self.first = (self.first + self.batch_size) % (
                len(self.images) - self.batch_size
            )
        return loss.item()
