"""LeNet-5 on MNIST in plain Lightning, as its documentation writes it.

    python benchmarks/peers/plain_lightning.py <MNIST's folder> <epochs>

conf/model/lenet5.yaml's recipe: Adam, batches of 64, half a cosine over the run, 5,000
images to validate on each epoch, the test set at the end; torchvision's data set behind
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
from torch.utils.data import DataLoader, random_split
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
        optimizer = torch.optim.Adam(self.parameters(), lr=1e-3)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def main() -> None:
    """Train and test."""
    torch.set_num_threads(1)
    L.seed_everything(0, verbose=False)
    root, epochs = sys.argv[1], int(sys.argv[2])
    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
    )
    whole = datasets.MNIST(root, train=True, transform=transform)
    train, validation = random_split(whole, [55_000, 5_000])
    test = datasets.MNIST(root, train=False, transform=transform)
    model = LeNet5()
    with tempfile.TemporaryDirectory() as folder:
        trainer = L.Trainer(
            max_epochs=epochs, accelerator="cpu", default_root_dir=folder
        )
        trainer.fit(
            model,
            DataLoader(train, batch_size=64, shuffle=True),
            DataLoader(validation, batch_size=64),
        )
        [result] = trainer.test(model, DataLoader(test, batch_size=64), verbose=False)
    print(f"test accuracy {result['test_accuracy']:.4f}")


if __name__ == "__main__":
    main()
