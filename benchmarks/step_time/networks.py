"""The networks that the hand-written loop trains, each with its own loss.

Each is a module with four methods besides `forward`: `batch(tensors, index)` takes a
batch from a split's tensors, `dataset(tensors)` serves one example after the other, as
a DataLoader asks for them, `loss(*batch)` is what is minimised, `after_step()` comes
after the optimizer.
"""

import copy
from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch
from nnlab.ext.step_time.random_images import scaled
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset, TensorDataset
from torchvision import transforms


class Task(nn.Module):
    """What has nothing to do after a step."""

    def dataset(self, tensors: tuple[Tensor, ...]) -> Dataset[Any]:
        """Return single examples, as a DataLoader takes them."""
        return TensorDataset(*tensors)

    def after_step(self) -> None:
        """Do nothing."""


class Classifier(Task):
    """Images of ten classes, under cross-entropy."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)

    def dataset(self, tensors: tuple[Tensor, ...]) -> Dataset[Any]:
        return Pictures(*tensors)

    def batch(self, tensors: tuple[Tensor, ...], index: Tensor) -> tuple[Tensor, ...]:
        images, labels = tensors
        return scaled(images.index_select(0, index)), labels.index_select(0, index)

    def loss(self, image: Tensor, label: Tensor) -> Tensor:
        return F.cross_entropy(self(image), label)


class TruthTable(Task):
    """2-64-2 on XOR, conf/model/mlp.yaml's default."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)

    def batch(self, tensors: tuple[Tensor, ...], index: Tensor) -> tuple[Tensor, ...]:
        x, label = tensors
        return x.index_select(0, index), label.index_select(0, index)

    def loss(self, x: Tensor, label: Tensor) -> Tensor:
        return F.cross_entropy(self(x), label)


class Pictures(Dataset[tuple[Tensor, int]]):
    """Images as torchvision's MNIST serves them: through PIL, one at a time."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images.squeeze(1), labels
        normalize = transforms.Normalize((0.1307,), (0.3081,))
        self.transform = transforms.Compose([transforms.ToTensor(), normalize])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(
            self.images[index].numpy(),
        )
        return self.transform(image), int(self.labels[index])


def mlp() -> Task:
    """Return 784-300-10."""
    return Classifier(nn.Flatten(), nn.Linear(784, 300), nn.Tanh(), nn.Linear(300, 10))


def lenet5() -> Task:
    """Return LeNet-5 as textbooks draw it, conf/model/lenet5.yaml's default."""
    return Classifier(
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


class Adder(Task):
    """An LSTM that adds two numbers, a bit a step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, 16, batch_first=True)
        self.output = nn.Linear(16, 1)

    def forward(self, addends: Tensor) -> Tensor:
        return self.output(self.lstm(addends)[0]).squeeze(2)

    def batch(self, tensors: tuple[Tensor, ...], index: Tensor) -> tuple[Tensor, ...]:
        addends, total = (tensor.index_select(0, index) for tensor in tensors)
        return addends.float(), total.float()

    def loss(self, addends: Tensor, total: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(self(addends), total)


class Twins(Task):
    """One encoder for both images of a pair, under the contrastive loss."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(8, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 2)),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.encoder(image)

    def batch(self, tensors: tuple[Tensor, ...], index: Tensor) -> tuple[Tensor, ...]:
        images, labels = tensors
        other = torch.randint(len(images), (len(index),))
        both = images.index_select(0, torch.cat([index, other])).unsqueeze(1)
        is_same = labels.index_select(0, index) == labels.index_select(0, other)
        return both.float().sub_(77.8).mul_(1 / 82.7), is_same

    def loss(self, both: Tensor, is_same: Tensor) -> Tensor:
        first, second = self(both).chunk(2)
        apart = (first - second).norm(dim=1)
        far = (1 - apart).relu().square()
        return torch.where(is_same, apart.square(), far).mean() / 2


class Mirror(Task):
    """784-1000-500-250-30 and back, under the squared error."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [784, 1000, 500, 250, 30, 250, 500, 1000, 784]
        layers: list[nn.Module] = [nn.Flatten()]
        for place in range(8):
            layers.append(nn.Linear(sizes[place], sizes[place + 1]))
            if place not in (3, 7):  # the code, and the image
                layers.append(nn.GELU())
        self.layers = nn.Sequential(*layers, nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28)))

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)

    def batch(self, tensors: tuple[Tensor, ...], index: Tensor) -> tuple[Tensor, ...]:
        image = tensors[0].index_select(0, index).unsqueeze(1)
        return (image.float().mul_(1 / 255),)

    def loss(self, image: Tensor) -> Tensor:
        return (self(image) - image).square().sum() / len(image)


class Game(Task):
    """DCGAN of 28x28, both players at once, and the generator's moving average."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(
            *(nn.Linear(64, 64 * 49, bias=False), nn.Unflatten(1, (64, 7, 7))),
            *(nn.BatchNorm2d(64), nn.ReLU()),
            nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1, bias=False),
            *(nn.BatchNorm2d(32), nn.ReLU()),
            *(nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1), nn.Sigmoid()),
        )
        self.discriminator = nn.Sequential(
            *(nn.Conv2d(1, 32, 4, stride=2, padding=1), nn.LeakyReLU(0.2)),
            nn.Conv2d(32, 64, 4, stride=2, padding=1, bias=False),
            *(nn.BatchNorm2d(64), nn.LeakyReLU(0.2)),
            *(nn.Flatten(), nn.Linear(64 * 49, 1)),
        )
        self.average = copy.deepcopy(self.generator).requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        return self.discriminator(2 * image - 1).squeeze(1)

    def batch(self, tensors: tuple[Tensor, ...], index: Tensor) -> tuple[Tensor, ...]:
        image = tensors[0].index_select(0, index).unsqueeze(1)
        return (image.float().mul_(1 / 255),)

    def loss(self, real: Tensor) -> Tensor:
        fake = self.generator(torch.randn(len(real), 64))
        against = (
            F.softplus(self(fake.detach())).mean() + F.softplus(-self(real)).mean()
        )
        self.discriminator.requires_grad_(False)
        pro = F.softplus(-self(fake)).mean()
        self.discriminator.requires_grad_(True)
        return against + pro

    @torch.no_grad()
    def after_step(self) -> None:
        pairs = zip(everything(self.average), everything(self.generator), strict=True)
        for average, weight in pairs:
            if weight.is_floating_point():
                average.lerp_(weight, 0.001)


def everything(module: nn.Module) -> Iterator[Tensor]:
    """Return a module's parameters and buffers."""
    return chain(module.parameters(), module.buffers())


NETWORKS = {
    "xor": TruthTable,
    "mlp": mlp,
    "lenet5": lenet5,
    "lstm_adder": Adder,
    "siamese": Twins,
    "autoencoder": Mirror,
    "gan": Game,
}
