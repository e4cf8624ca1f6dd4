"""LeNet-5 on MNIST in plain Lightning, as its documentation writes it.

    python benchmarks/peers/plain_lightning.py <MNIST's folder> <epochs> <seed>

conf/experiment/lenet5_quick.yaml's recipe: three epochs of batches of 64 images that
are moved by up to a pixel, AdamW, one cycle up to 4e-3, 5,000 images to validate on
after each epoch, the test set at the end; torchvision's data set and transforms behind
torch's DataLoader. Prints the test accuracy.
"""

import logging
import sys
import tempfile
import warnings
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset, random_split
from torchvision import datasets, transforms

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class LeNet5(L.LightningModule):
    """A LightningModule of the documentation's kind."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 120, 5), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)

    def _shared_step(self, batch: tuple[Tensor, Tensor], stage: str) -> Tensor:
        image, label = batch
        scores = self(image)
        loss = F.cross_entropy(scores, label)
        accuracy = (scores.argmax(dim=1) == label).float().mean()
        self.log(f"{stage}_loss", loss, prog_bar=stage == "train")
        self.log(f"{stage}_accuracy", accuracy)
        return loss

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        return self._shared_step(batch, "train")

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self._shared_step(batch, "val")

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self._shared_step(batch, "test")

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=4e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=4e-3,
            total_steps=int(self.trainer.estimated_stepping_batches),
            cycle_momentum=False,
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


class MNIST(L.LightningDataModule):
    """A LightningDataModule of the documentation's kind."""

    def __init__(self, root: str) -> None:
        super().__init__()
        scaled = [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
        self.root, self.plain = root, transforms.Compose(scaled)
        self.moved = transforms.Compose([transforms.RandomCrop(28, padding=1), *scaled])

    def setup(self, stage: str) -> None:
        moved = datasets.MNIST(self.root, train=True, transform=self.moved)
        plain = datasets.MNIST(self.root, train=True, transform=self.plain)
        self.train, held_out = random_split(moved, [55_000, 5_000])
        self.validation = Subset(plain, held_out.indices)
        self.test = datasets.MNIST(self.root, train=False, transform=self.plain)

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.train, batch_size=64, shuffle=True)

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.validation, batch_size=64)

    def test_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.test, batch_size=64)


def main() -> None:
    """Train and test."""
    folder, epochs, seed = sys.argv[1:]
    torch.set_num_threads(1)
    L.seed_everything(int(seed), verbose=False)
    model, data = LeNet5(), MNIST(folder)
    with tempfile.TemporaryDirectory() as own:
        trainer = L.Trainer(
            max_epochs=int(epochs), accelerator="cpu", default_root_dir=own
        )
        trainer.fit(model, data)
        [result] = trainer.test(model, data, verbose=False)
    print(f"test accuracy {result['test_accuracy']:.4f}")


if __name__ == "__main__":
    main()
