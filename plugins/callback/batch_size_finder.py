"""The largest batch that fits, and the smallest that is about as fast."""

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from lightning import Callback, LightningModule, Trainer
from matplotlib.figure import Figure
from torch import Tensor
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.learner import Learner, examples
from nnlab.limits import Count
from nnlab.memory import is_out_of_memory
from nnlab.picture.canvas import FAINT, PALETTE, canvas, quieten

from .rows import keep
from .trial import NOT_WITH, Trial, endless_batches, own_randomness

log = logging.getLogger("nnlab.run")

ENOUGH = 0.95  # of the best rate


class BatchSizeFinder(Callback):
    """Doubles the batch on a copy of the model until memory, or data, are used up.

    Says the largest batch that fits and the smallest whose rate is within 5 % of the
    best. A finder that also changes the run would make two machines train two models:
    it says what to type, and `apply` is there for those who want it. What was applied
    is in the folder's `batch_size.json`, and a run that continues takes it from there.

    Args:
        smallest, largest: batches between which it looks; the training set limits too.
        steps: timed at each size, after one that is not.
        apply: train with the size that is about as fast as the fastest.
    """

    not_with: ClassVar[Mapping[str, str]] = {
        **NOT_WITH,
        "several processes": "each would slow down what the others time",
    }

    def __init__(
        self, *, smallest: Count, largest: Count, steps: Count, apply: bool
    ) -> None:
        if smallest > largest:
            raise ValueError(
                f"callback.batch_size_finder.smallest={smallest} is more than "
                f"callback.batch_size_finder.largest={largest}"
            )
        self.smallest, self.largest = smallest, largest
        self.steps, self.apply = steps, apply
        self.rates: dict[int, float] = {}  # examples a second by size
        self.full_at: int | None = None

    def check(self, learner: Learner, config: Any) -> None:
        """Refuse data whose batches have no size to change."""
        if "batch_size" not in config["data"]:
            raise UserError(
                f"callback=batch_size_finder needs a data.batch_size, and "
                f"data={config['choices']['data']} has none"
            )

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        # Before the optimizer is made: the schedule's length depends on the batch.
        if stage != "fit":
            return
        data: Any = getattr(trainer, "datamodule")  # noqa: B009
        file = Path(trainer.default_root_dir) / "batch_size.json"
        if file.is_file():
            found = json.loads(file.read_text(encoding="utf-8"))
        else:
            assert isinstance(pl_module, Learner)
            with own_randomness(pl_module):
                self._test(trainer, pl_module)
            found = trainer.strategy.broadcast(self._found())
            self._report(found, data.batch_size)
            file.write_text(json.dumps(found), encoding="utf-8")
        if self.apply:
            data.batch_size = found["fast"]

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.rates:
            keep(trainer, "batch_size", rates_picture(self.rates, self.full_at))

    def _test(self, trainer: Trainer, learner: Learner) -> None:
        size = self.smallest
        trial, batches = Trial(trainer, learner), endless_batches(trainer, learner)
        pool = next(batches)
        limit = min(self.largest, _training_examples(trainer))
        while size <= limit:
            try:
                while examples(pool) < size:
                    pool = _joined(pool, next(batches))
                self.rates[size] = self._rate(trial, _first(pool, size))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self.full_at = size
                break
            size *= 2
        if trainer.strategy.root_device.type == "cuda":
            torch.cuda.empty_cache()
        if not self.rates:
            raise UserError(
                f"callback.batch_size_finder.smallest={self.smallest} is more than "
                "fits into memory, or than there are training examples"
            )

    def _rate(self, trial: Trial, batch: Any) -> float:
        trial.step(batch)
        started = time.perf_counter()
        for _ in range(self.steps):
            trial.step(batch)  # reads the loss: the device has finished
        return self.steps * examples(batch) / (time.perf_counter() - started)

    def _found(self) -> dict[str, int]:
        best = max(self.rates.values())
        fast = min(size for size, rate in self.rates.items() if rate >= ENOUGH * best)
        return {"largest": max(self.rates), "fast": fast}

    def _report(self, found: dict[str, int], own: int) -> None:
        why = "memory ends there" if self.full_at else "nothing larger was tried"
        log.info(
            "batch_size_finder: %s fits (%s), and %s is about as fast as any: %s",
            *(f"{found['largest']:,}", why, f"{found['fast']:,}"),
            f"trained with it instead of {own}"
            if self.apply
            else f"try data.batch_size={found['fast']}",
        )


def rates_picture(rates: dict[int, float], full_at: int | None) -> Figure:
    """Draw the examples a second over the size of the batch."""
    figure = canvas(4.4, 2.9)
    axes = figure.add_subplot()
    axes.plot(list(rates), list(rates.values()), "o-", color=PALETTE[0], linewidth=2)
    if full_at is not None:
        axes.axvline(full_at, color=PALETTE[1], linestyle="--", label="out of memory")
        axes.legend(frameon=False, fontsize=9)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda size, _: f"{size:,.0f}")
    axes.set_ylim(bottom=0)
    axes.set(xlabel="batch size", title="examples a second")
    axes.grid(color=FAINT, linewidth=0.6)
    quieten(axes)
    return figure


def _training_examples(trainer: Trainer) -> int:
    data: Any = getattr(trainer, "datamodule")  # noqa: B009
    loader = data.train_dataloader()
    try:
        return len(loader) * data.batch_size
    except TypeError:  # a stream
        return 2**62


def _joined(one: Any, other: Any) -> Any:
    if isinstance(one, Tensor):
        return torch.cat([one, other])
    if isinstance(one, dict):
        return {key: _joined(one[key], other[key]) for key in one}
    return tuple(_joined(*pair) for pair in zip(one, other, strict=True))


def _first(batch: Any, count: int) -> Any:
    if isinstance(batch, Tensor):
        return batch[:count]
    if isinstance(batch, dict):
        return {key: _first(part, count) for key, part in batch.items()}
    return tuple(_first(part, count) for part in batch)
