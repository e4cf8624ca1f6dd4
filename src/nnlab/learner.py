"""Learner: the one base class of every model."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from lightning import LightningModule
from lightning.pytorch.utilities.model_helpers import (
    _restricted_classmethod,  # pyright: ignore[reportPrivateUsage]
)
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from nnlab.answer import Answer, by_row
from nnlab.batches import mix
from nnlab.errors import UserError
from nnlab.meter import Meter
from nnlab.ranks import each_of_all

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image


class Learner(LightningModule):
    """A network, what it minimises, and the optimizer that minimises it.

    A model answers three questions: what is it made of (`__init__`), what does it
    compute (`forward`), how good was that (`measure`). Three more are optional: what
    does it look like (`illustrate`), what does the result mean (`remark`), what does it
    say of examples (`predict`).

    Attributes:
        make_optimizer: given by build: takes the parameters.
        make_schedule: given by build: takes the optimizer and the run's length in
            optimizer steps; changes the learning rate after every one of them.
        seed: of the random numbers drawn while training (dropout, noise).
        class_names: what the labels stand for, where more is known than their number.
        around: what a training step calls in place of `measure`, each given what it
            stands around, and the batch: regularizers of the batch and the loss.
    """

    make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer]
    make_schedule: Callable[[Optimizer, int], LRScheduler]
    seed: int = 0
    class_names: Sequence[str] = ()

    def __init__(self) -> None:
        super().__init__()
        self.meters = {stage: Meter() for stage in ("train", "val", "test")}
        self.around: list[Callable[..., dict[str, Tensor]]] = []

    def measure(self, batch: Any) -> dict[str, Tensor]:
        """Return means over the batch by name; `loss` is the one minimised."""
        raise NotImplementedError

    def illustrate(self, batch: Any) -> "Mapping[str, Figure | Image | str]":
        """Return pictures and texts by name, of examples that were not trained on."""
        return {}

    def remark(self, batch: Any) -> str | None:
        """Return a sentence on what the result means, where the model knows one."""
        return None

    def predict(self, batch: Any) -> Sequence[Answer]:
        """Return an answer for each example, in the model's own words."""
        with torch.no_grad():
            return by_row(self(batch[0]))

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        loss = self.measured(batch, "train")
        return loss if self.trainer.world_size == 1 else loss * self._share(batch_idx)

    # Lightning asks for it at each step; here it finds it made.
    training_step.__signature__ = inspect.signature(training_step)  # pyright: ignore

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.measured(batch, "val")

    def test_step(self, batch: Any, batch_idx: int) -> None:
        self.measured(batch, "test")

    def predict_step(self, batch: Any, batch_idx: int) -> Sequence[Answer]:
        return self.predict(batch)

    def configure_optimizers(self) -> Any:
        for module in self.modules():  # which optimizers may treat as no matrix
            if isinstance(module, nn.Embedding):
                module.weight.is_table = True  # pyright: ignore[reportAttributeAccessIssue]
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
        checkpoint["meters"] = {"train": self.meters["train"].state(each_of_all)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if self._trainer is None:  # `load_from_checkpoint`: nothing goes on
            return
        rank, ranks = self.trainer.global_rank, self.trainer.world_size
        for stage, state in checkpoint.get("meters", {}).items():
            self.meters[stage].restore(state, rank, ranks)

    @_restricted_classmethod  # of no instance, as Lightning's
    def load_from_checkpoint(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls,  # noqa: N805
        checkpoint_path: Any,
        **given: Any,
    ) -> Any:
        try:
            return super().load_from_checkpoint(checkpoint_path, **given)
        except TypeError as error:  # another model's numbers, or none
            raise UserError(
                f"{checkpoint_path} does not say what {cls.__name__} takes ({error}); "
                f"nnlab.load({str(checkpoint_path)!r}).model is the model of any run"
            ) from error

    def measured(self, batch: Any, stage: str) -> Tensor:
        """Measure a batch and note its scalars; return the loss."""
        measure = self.measure
        if stage == "train":
            for around in self.around:
                measure = partial(around, measure)
        scalars = measure(batch)
        self.meters[stage].add(scalars, examples(batch))
        return scalars["loss"]

    def _log_meter(self, stage: str) -> None:
        means = self.meters[stage].epoch_means(self._sum_over_ranks)
        data: Any = getattr(self.trainer, "datamodule", None)
        if hasattr(data, "derived"):
            means |= data.derived(stage, means)
        # For what monitors them; the loggers get them from `record`, at true steps.
        # `self.log` would put them there as well, a millisecond each.
        self.trainer.callback_metrics.update(
            {f"{stage}/{name}": torch.as_tensor(mean) for name, mean in means.items()}
        )

    def _sum_over_ranks(self, total: Tensor) -> Tensor:
        if self.trainer.world_size == 1:
            return total
        return self.trainer.strategy.reduce(total, reduce_op="sum")

    def _share(self, batch_idx: int) -> float:
        """Return what this rank's part of the batch weighs: 1 where parts are equal."""
        share = getattr(self.trainer.train_dataloader, "share", None)
        return 1.0 if share is None else share(batch_idx)

    def _reseed(self, *place: int) -> None:
        # `torch.manual_seed` costs 100 us: it seeds devices that are not there as well.
        seed = mix(self.seed, self.global_rank, *place)
        torch.default_generator.manual_seed(seed)
        device = self.device
        if device.type != "cpu":
            torch.get_device_module(device).manual_seed(seed)


def examples(batch: Any) -> int:
    """Return how many examples a batch holds: the length of its first tensor."""
    if isinstance(batch, Tensor):
        return batch.shape[0]
    parts = batch.values() if isinstance(batch, dict) else batch
    return examples(next(iter(parts)))
