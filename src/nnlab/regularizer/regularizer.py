"""Regularizer: what changes how a model learns, and never touches the model's code."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from lightning import Callback, LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from nnlab.batches import mix


class Regularizer(Callback):
    """A Lightning callback that has a name, logs under it, and draws by the seed.

    The stages are classes of their own: `WeightRegularizer` (gradients, and weights
    after the step), `ForwardRegularizer` and `ParametrizedRegularizer` (the forward
    pass), `LossRegularizer` (the batch and the loss).

    Attributes:
        name: under which it was chosen: `l1` of `regularizer=l1`. `build` gives it.
    """

    def __init__(self) -> None:
        words = re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z][a-z]+\d*", type(self).__name__)
        self.name = "_".join(words).lower()

    def numbers(self) -> Mapping[str, Tensor | float]:
        """Return what is logged, as `regularizer/<name>`; asked for every few steps."""
        return {}

    @property
    def where(self) -> str:
        """The section of the config, with which a refusal begins."""
        return f"regularizer.{self.name}"

    def batch_seed(self, trainer: Trainer, module: LightningModule) -> int:
        """Return a seed of this batch's own, another on each rank.

        A run that continues in the middle of an epoch draws what it would have drawn.
        """
        position = trainer.fit_loop.epoch_loop.batch_progress.current.ready
        place = (trainer.current_epoch, position, trainer.global_rank)
        return self._seed(module, *place)

    def step_seed(self, trainer: Trainer, module: LightningModule) -> int:
        """Return a seed of this optimizer step's own, the same on every rank."""
        return self._seed(module, trainer.global_step)

    def _seed(self, module: LightningModule, *place: int) -> int:
        return mix(getattr(module, "seed", 0), crc32(self.name.encode()), *place)

    @property
    @override
    def state_key(self) -> str:
        return self.where

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if trainer.fit_loop._should_accumulate():  # pyright: ignore[reportPrivateUsage]
            return  # no step was done
        if trainer.global_step % _interval(trainer) == 0:
            self._log(trainer)

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step % _interval(trainer):
            self._log(trainer)  # an epoch shorter than the interval shows something too

    def _log(self, trainer: Trainer) -> None:
        row = {f"regularizer/{name}": _whole(x) for name, x in self.numbers().items()}
        if not row:
            return
        row["epoch"] = trainer.current_epoch
        for logger in trainer.loggers:
            logger.log_metrics(row, step=trainer.global_step)


def _whole(number: Tensor | float) -> float:
    # A sum over weights in shards is in shards itself: every rank asks for it.
    gather: Callable[[], Tensor] | None = getattr(number, "full_tensor", None)
    return float(number if gather is None else gather())


def _interval(trainer: Trainer) -> int:
    return max(1, trainer.log_every_n_steps)  # pyright: ignore
