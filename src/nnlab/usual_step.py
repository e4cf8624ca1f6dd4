"""The usual training step, as Lightning takes it, without what nobody asked for.

Lightning spends some 300 us on a training step besides what the step computes: hooks
that nobody overrides, each behind a profiler's context; metrics that nobody logged;
closures in closures. Here the hooks that are overridden are found once an epoch, and
called in Lightning's order, with Lightning's counters.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer
from lightning.fabric.utilities.apply_func import move_data_to_device
from lightning.pytorch.loops.fetchers import (
    _DataFetcher,  # pyright: ignore[reportPrivateUsage]
    _PrefetchDataFetcher,  # pyright: ignore[reportPrivateUsage]
)
from lightning.pytorch.loops.training_epoch_loop import (
    _TrainingEpochLoop,  # pyright: ignore[reportPrivateUsage]
)
from lightning.pytorch.plugins import MixedPrecision, Precision
from lightning.pytorch.profilers import PassThroughProfiler
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor
from torch.autograd.graph import (
    _engine_run_backward,  # pyright: ignore[reportPrivateUsage]
)

from nnlab.learner import Learner

Hook = Callable[..., Any]
# What Learner answers as Lightning's step expects; a model with its own is Lightning's.
LEARNERS_OWN = ("training_step",)
# What is called where the model or the data have one of their own; else left out.
UNUSUAL = (
    *("backward", "lr_scheduler_step", "on_before_batch_transfer"),
    *("transfer_batch_to_device", "on_after_batch_transfer"),
)


class UsualStep:
    """One training step after the other, with what an epoch keeps found once.

    Args:
        loop: whose counters are counted.
        fetcher: of the epoch's batches, whose number is known.
    """

    def __init__(self, loop: _TrainingEpochLoop, fetcher: _DataFetcher) -> None:
        self.loop, self.fetcher = loop, fetcher
        self.combined: Any = fetcher.combined_loader._iterator  # pyright: ignore
        [self.batches] = self.combined.iterators
        self.trainer = trainer = loop.trainer
        module = trainer.lightning_module
        # what the training step of the only process is
        self.learn: Callable[[Any, str], Tensor] = getattr(module, "measured")  # noqa: B009
        self.module, self.data = module, getattr(trainer, "datamodule")  # noqa: B009
        self.optimizer = trainer.optimizers[0]
        self.progress = loop.automatic_optimization.optim_progress.optimizer
        self.schedules = [each.scheduler for each in trainer.lr_scheduler_configs]
        precision = trainer.precision_plugin
        self.context: Callable[[], AbstractContextManager[Any]] = (
            nullcontext
            if type(precision) is Precision
            else precision.train_step_context
        )
        self.start = self._hooks("on_train_batch_start")
        self.end = self._hooks("on_train_batch_end")
        self.before_zero_grad = self._hooks("on_before_zero_grad")
        self.before_backward = self._hooks("on_before_backward")
        self.after_backward = self._hooks("on_after_backward")
        self.before_step = self._hooks("on_before_optimizer_step")
        self.clips = _has_own(module, "configure_gradient_clipping", LightningModule)
        self.batch: Any = None
        self.index = 0
        self.output: dict[str, Tensor] = {}
        self.accumulates: bool | None = None  # callbacks ask, several times a step

    def take(self) -> None:
        """Take the next step. Raises `StopIteration` where a hook ends the epoch."""
        loop, connector = self.loop, self.trainer._logger_connector  # pyright: ignore
        counts = loop.batch_progress
        self.batch = batch = self._next_batch()
        counts.is_last_batch = self.fetcher.done
        self.index = counts.current.ready
        counts.increment_ready()
        self.accumulates = None
        connector._first_loop_iter = connector._first_loop_iter is None  # pyright: ignore
        results = loop._results  # pyright: ignore[reportPrivateUsage]
        results.batch, results.batch_size, results.dataloader_idx = batch, None, None
        ends = self._call("on_train_batch_start", self.start, batch, self.index) == -1
        self.accumulates = accumulates = loop._should_accumulate()  # pyright: ignore
        if ends:
            counts.increment_by(0, is_last_batch=True)
        else:
            counts.increment_started()
            self._learn() if accumulates else self._step()
        counts.increment_processed()
        if not accumulates:
            for schedule in self.schedules:
                loop.scheduler_progress.increment_ready()
                schedule.step()  # pyright: ignore[reportCallIssue]
                loop.scheduler_progress.increment_completed()
        if ends:
            raise StopIteration
        self._call("on_train_batch_end", self.end, self.output, batch, self.index)
        is_logged = any(each.meta.on_step for each in results.values())
        if is_logged:  # through Lightning, by somebody's self.log
            connector.on_batch_end()
        results.batch = results.batch_size = self.batch = None
        counts.increment_completed()
        if is_logged:
            connector.update_train_step_metrics()

    def _next_batch(self) -> Any:
        # what next(fetcher) does for one loader whose length is known
        fetcher = self.fetcher
        batch = next(self.batches)
        self.combined._idx += 1
        fetcher.fetched += 1
        fetcher.done = fetcher.fetched >= fetcher.length  # pyright: ignore
        batch = self.trainer.precision_plugin.convert_input(batch)
        device = self.module.device
        if device.type != "cpu":
            batch = move_data_to_device(batch, device)
        return self.data.on_after_batch_transfer(batch, 0)

    def _step(self) -> None:
        self.progress.step.increment_ready()
        self.module.optimizer_step(
            self.trainer.current_epoch, self.index, self.optimizer, self._close
        )
        self.progress.step.increment_completed()

    def _close(self) -> Tensor:
        """Learn from the batch and prepare the gradients: the optimizer calls it."""
        loss = self._learn()
        self._call("on_before_optimizer_step", self.before_step, self.optimizer)
        trainer = self.trainer
        if self.clips or trainer.gradient_clip_val:
            self.module.configure_gradient_clipping(
                self.optimizer,
                gradient_clip_val=trainer.gradient_clip_val,
                gradient_clip_algorithm=trainer.gradient_clip_algorithm,
            )
        return loss

    def _learn(self) -> Tensor:
        trainer, names = self.trainer, vars(self.module)
        names["_current_fx_name"] = "training_step"
        with self.context():
            loss: Any = self.learn(self.batch, "train")
        names["_current_fx_name"] = None
        if trainer.accumulate_grad_batches > 1:
            loss = loss / trainer.accumulate_grad_batches
        self.output = {"loss": loss.detach()}
        if self.index % trainer.accumulate_grad_batches == 0:
            self._zero_grad()
        self._call("on_before_backward", self.before_backward, loss)
        _backward(loss)
        self._call("on_after_backward", self.after_backward)
        return loss

    def _zero_grad(self) -> None:
        count = self.progress.zero_grad
        count.increment_ready()
        self._call("on_before_zero_grad", self.before_zero_grad, self.optimizer)
        count.increment_started()
        self.module.optimizer_zero_grad(
            self.trainer.current_epoch, self.index, self.optimizer
        )
        count.increment_completed()

    def _hooks(self, name: str) -> list[Hook]:
        """Return the callbacks' hooks of that name, then the model's, if any."""
        callbacks = self.trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]
        hooks: list[Hook] = [
            getattr(callback, name)
            for callback in callbacks
            if _has_own(callback, name, Callback)
        ]
        hooks = [partial(hook, self.trainer, self.module) for hook in hooks]
        if _has_own(self.module, name, LightningModule):
            hooks.append(getattr(self.module, name))
        return hooks

    def _call(self, name: str, hooks: list[Hook], *arguments: Any) -> Any:
        """Call hooks in turn; return what the last one says: the model's."""
        answer = None
        if hooks:
            names = vars(self.module)  # `self.log` asks which hook it is called in
            names["_current_fx_name"] = name
            for hook in hooks:
                answer = hook(*arguments)
            names["_current_fx_name"] = None
        return answer


def is_usual(trainer: Trainer, fetcher: _DataFetcher) -> bool:
    """Whether a step of this trainer is what `UsualStep` does."""
    module = trainer.lightning_module
    data: Any = getattr(trainer, "datamodule", None)
    precision = trainer.precision_plugin
    has_scaler = getattr(precision, "scaler", None) is not None
    return (
        isinstance(module, Learner)
        and module.automatic_optimization
        and not any(_has_own(module, name, Learner) for name in LEARNERS_OWN)
        and not any(_has_own(module, name, LightningModule) for name in UNUSUAL)
        and isinstance(data, LightningDataModule)
        and not any(_has_own(data, name, LightningDataModule) for name in UNUSUAL[2:4])
        and type(trainer.strategy) is SingleDeviceStrategy
        and (type(precision) is Precision or isinstance(precision, MixedPrecision))
        and not has_scaler
        and isinstance(getattr(trainer, "profiler"), PassThroughProfiler)  # noqa: B009
        and type(fetcher) is _PrefetchDataFetcher
        and fetcher.length is not None
        and fetcher.combined_loader.flattened[0] is fetcher.combined_loader.iterables
        and all(
            each.interval == "step"
            and each.frequency == 1
            and not each.reduce_on_plateau
            for each in trainer.lr_scheduler_configs
        )
    )


def _backward(loss: Tensor) -> None:
    """Do what `loss.backward()` does, without its looks at what a loss is not."""
    if type(loss) is not Tensor or loss.ndim or loss.is_complex():
        loss.backward()
        return
    _engine_run_backward(
        *((loss,), (torch.ones_like(loss),)),
        *(False, False, ()),  # keep no graph, make none, all leaves
        allow_unreachable=True,
        accumulate_grad=True,
    )


def _has_own(thing: Any, name: str, base: type) -> bool:
    """Whether a hook is another one than the base's."""
    return getattr(type(thing), name) is not getattr(base, name) or name in vars(thing)
