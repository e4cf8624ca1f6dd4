"""A small network, small data, and regularizers from their YAML."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from lightning import Callback, Trainer
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR

from nnlab.build import build_callbacks
from nnlab.compose import Composer, plain
from nnlab.data_module import DataModule, Splits
from nnlab.learner import Learner


class Points(DataModule):
    """64 points of 4 numbers in 3 classes, or what is given."""

    def __init__(
        self, *tensors: Tensor, batch_size: int = 16, repeats: int = 1
    ) -> None:
        super().__init__(batch_size=batch_size, repeats=repeats, seed=0)
        random = torch.Generator().manual_seed(1)
        drawn = (torch.randn(64, 4, generator=random), torch.arange(64) % 3)
        self.tensors = tensors or drawn

    def load(self) -> Splits:
        return Splits(self.tensors, self.tensors, self.tensors)


class Net(Learner):
    """Two layers under cross-entropy, and a `penalty` in the loss for comparison."""

    def __init__(self, *, optimizer: Callable[..., Any] | None = None) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.first, self.output = nn.Linear(4, 6), nn.Linear(6, 3)
        self.penalty: Callable[[Net], Tensor] | None = None
        self.make_optimizer = optimizer or (lambda p: torch.optim.SGD(p, lr=0.1))
        self.make_schedule = lambda optimizer, steps: LambdaLR(
            optimizer, lambda step: 1 - step / (2 * steps)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.first(x).tanh())

    def measure(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        x, label = batch
        loss = F.cross_entropy(self(x), label)
        return {"loss": loss if self.penalty is None else loss + self.penalty(self)}


def fit(learner: Learner, *callbacks: Callback, data: Any = None, **settings: Any):
    """Train a learner for two epochs of four batches; return its weights by name."""
    precision = settings.get("precision")
    if isinstance(precision, torch.amp.GradScaler):
        del settings["precision"]
        settings["plugins"] = MixedPrecision("16-mixed", "cpu", precision)
    trainer = Trainer(
        **{"max_epochs": 2, "accelerator": "cpu", "logger": False, **settings},
        callbacks=[*callbacks],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(learner, datamodule=data or Points())
    return {name: p.detach().clone() for name, p in learner.named_parameters()}


@pytest.fixture(scope="session")
def composer() -> Composer:
    return Composer()


@pytest.fixture
def make(composer) -> Callable[..., Any]:
    """Make a regularizer from its YAML, with other values where given."""

    def make_one(name: str, **values: Any) -> Any:
        config = plain(composer.compose([f"regularizer=[{name}]"]))
        config["regularizer"][name] |= values
        return build_callbacks({**config, "callback": {}}, composer.plugins)[0]

    return make_one


@pytest.fixture
def net() -> type[Net]:
    return Net


@pytest.fixture
def points() -> type[Points]:
    return Points


@pytest.fixture(name="fit")
def _fit() -> Callable[..., dict[str, Tensor]]:
    return fit


class Each(Callback):
    """Calls something after every batch."""

    def __init__(self, look: Callable[[Any], None]) -> None:
        self.look = look

    def on_train_batch_end(self, trainer, pl_module, *_: Any) -> None:
        self.look(pl_module)


@pytest.fixture
def each_batch() -> type[Each]:
    return Each
