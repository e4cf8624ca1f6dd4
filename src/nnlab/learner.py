"""Learner: the one base class of every model."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from nnlab.batches import mix
from nnlab.meter import Meter

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Learner(LightningModule):
    """A network, what it minimises, and the optimizer that minimises it.

    A model answers three questions: what is it made of (`__init__`), what does it
    compute (`forward`), how good was that (`measure`). Two more are optional: what does
    it look like (`illustrate`), what does the result mean (`remark`).

    Attributes:
        make_optimizer: given by build: takes the parameters.
        make_schedule: given by build: takes the optimizer and the run's length in
            optimizer steps; changes the learning rate after every one of them.
        seed: of the random numbers drawn while training (dropout, noise).
    """

    make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer]
    make_schedule: Callable[[Optimizer, int], LRScheduler]
    seed: int = 0

    def __init__(self) -> None:
        super().__init__()
        self.meters = {stage: Meter() for stage in ("train", "val", "test")}

    def measure(self, batch: Any) -> dict[str, Tensor]:
        """Return means over the batch by name; `loss` is the one minimised."""
        raise NotImplementedError

    def illustrate(self, batch: Any) -> "Mapping[str, Figure | str]":
        """Return pictures and texts by name, of examples that were not trained on."""
        return {}

    def remark(self, batch: Any) -> str | None:
        """Return a sentence on what the result means, where the model knows one."""
        return None

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return self._measure(batch, "train")

    # Lightning asks for it at each step; here it finds it made.
    training_step.__signature__ = inspect.signature(training_step)  # pyright: ignore

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self._measure(batch, "val")

    def test_step(self, batch: Any, batch_idx: int) -> None:
        self._measure(batch, "test")

    def configure_optimizers(self) -> Any:
        optimizer = self.make_optimizer(self.parameters())
        # An unlimited run (trainer.max_time) has an infinity of steps.
        steps = int(min(self.trainer.estimated_stepping_batches, 2**53))
        scheduler = self.make_schedule(optimizer, steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def __setattr__(self, name: str, value: Any) -> None:
        # Lightning notes the hook it is in 40 times a step, each time through all that
        # torch checks of a module's attributes: 50 us a step.
        if name == "_current_fx_name":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        # Dropout is a function of (seed, epoch, batch, rank), so that a run that
        # continues in the middle of an epoch draws what it would have drawn.
        self._reseed(self.current_epoch, batch_idx)

    def on_validation_batch_start(
        self, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._reseed(-1, batch_idx)

    def on_test_batch_start(
        self, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._reseed(-2, batch_idx)

    def on_train_epoch_end(self) -> None:
        self._log_meter("train")

    def on_validation_epoch_end(self) -> None:
        self._log_meter("val")

    def on_test_epoch_end(self) -> None:
        self._log_meter("test")

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["meters"] = {"train": self.meters["train"].state()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        for stage, state in checkpoint.get("meters", {}).items():
            self.meters[stage].restore(state)

    def _measure(self, batch: Any, stage: str) -> Tensor:
        scalars = self.measure(batch)
        self.meters[stage].add(scalars, examples(batch))
        return scalars["loss"]

    def _log_meter(self, stage: str) -> None:
        means = self.meters[stage].epoch_means(self._sum_over_ranks)
        data: Any = getattr(self.trainer, "datamodule", None)
        if hasattr(data, "derived"):
            means |= data.derived(stage, means)
        # For what monitors them; the loggers get them from `record`, at true steps.
        self.log_dict(
            {f"{stage}/{name}": value for name, value in means.items()}, logger=False
        )

    def _sum_over_ranks(self, total: Tensor) -> Tensor:
        if self.trainer.world_size == 1:
            return total
        return self.trainer.strategy.reduce(total, reduce_op="sum")

    def _reseed(self, *place: int) -> None:
        # `torch.manual_seed` costs 100 us: it seeds devices that are not there as well.
        seed = mix(self.seed, self.global_rank, *place)
        torch.default_generator.manual_seed(seed)
        if self.device.type != "cpu":
            torch.get_device_module(self.device).manual_seed(seed)


def examples(batch: Any) -> int:
    """Return how many examples a batch holds: the length of its first tensor."""
    if isinstance(batch, Tensor):
        return len(batch)
    parts = batch.values() if isinstance(batch, dict) else batch
    return examples(next(iter(parts)))
