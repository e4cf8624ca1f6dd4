"""The learning rate range test: a picture and a suggestion, before the training."""

import logging
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from lightning import Callback, LightningModule, Trainer
from matplotlib.figure import Figure
from typing_extensions import override

from nnlab.learner import Learner
from nnlab.limits import Count, Positive, Share
from nnlab.picture.canvas import FAINT, PALETTE, canvas, quieten
from nnlab.schedule.schedule import Schedule

from .rows import keep
from .trial import NOT_WITH, Trial, endless_batches, own_randomness

log = logging.getLogger("nnlab.run")


class LRFinder(Callback):
    """Raises the rate from batch to batch on a copy, until the loss runs away.

    Smith 2017, "Cyclical Learning Rates for Training Neural Networks",
    https://arxiv.org/abs/1506.01186, section 3.3. Suggested is the rate at which the
    smoothed loss falls most steeply. The model, its optimizer and the random numbers
    are as they were; a run that continues is not tested again.

    Args:
        smallest, largest: the rates between which it looks.
        steps: of the test, evenly over the logarithm of the rate.
        smoothing: the share of the running mean of the loss that is kept at a step.
        runaway: the test ends where the smoothed loss is this many times its least.
        apply: train at the suggested rate; the schedule's shape stays. Else it is said
            only, and the run is as its config says.
    """

    not_with: ClassVar[Mapping[str, str]] = NOT_WITH

    def __init__(
        self,
        *,
        smallest: Positive,
        largest: Positive,
        steps: Count,
        smoothing: Share,
        runaway: Positive,
        apply: bool,
    ) -> None:
        if smallest >= largest:
            raise ValueError(
                f"callback.lr_finder.smallest={smallest} must be less than "
                f"callback.lr_finder.largest={largest}"
            )
        if steps < 10:
            raise ValueError(f"callback.lr_finder.steps={steps} must be at least 10")
        self.rates = np.geomspace(smallest, largest, steps)
        self.smoothing, self.runaway, self.apply = smoothing, runaway, apply
        self.suggestion: float | None = None

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, Learner)
        if trainer.global_step == 0:
            with own_randomness(pl_module):
                losses = self._test(trainer, pl_module)
            rates = self.rates[: len(losses)]
            found = suggested(rates, losses)
            self.suggestion = trainer.strategy.broadcast(found)  # all ranks the same
            self._report(trainer, rates, losses)
        if self.apply and self.suggestion is not None:
            _set_rate(trainer, self.suggestion)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"suggestion": self.suggestion}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.suggestion = state_dict["suggestion"]

    def _test(self, trainer: Trainer, learner: Learner) -> list[float]:
        """Return the smoothed loss at each rate, up to where it ran away."""
        trial, batches = Trial(trainer, learner), endless_batches(trainer, learner)
        mean, losses = 0.0, list[float]()
        for step, rate in enumerate(self.rates, start=1):
            for group in trial.optimizer.param_groups:
                group["lr"] = float(rate)
            loss = trial.step(next(batches))
            mean = self.smoothing * mean + (1 - self.smoothing) * loss
            smooth = mean / (
                1 - self.smoothing**step
            )  # without the pull of the first 0
            if not math.isfinite(smooth):
                break
            losses.append(smooth)
            low, first = min(losses), losses[0]
            if step > 5 and smooth - low > (self.runaway - 1) * max(
                abs(first), abs(low)
            ):
                break
        return losses

    def _report(self, trainer: Trainer, rates: Any, losses: list[float]) -> None:
        if self.suggestion is None:
            log.warning("lr_finder: the loss falls at no rate; nothing is suggested")
        else:
            rate = f"{self.suggestion:.2g}"
            use = "trained at" if self.apply else f"try optimizer.lr={rate}"
            log.info("lr_finder: the loss falls most steeply at %s: %s", rate, use)
        if losses:
            keep(trainer, "lr_finder", range_picture(rates, losses, self.suggestion))


def suggested(rates: Any, losses: list[float]) -> float | None:
    """Return the rate where the loss falls most steeply in the logarithm of the rate.

    Only up to the least loss, and not in the first tenth, of which few batches tell;
    None where there is no fall in between.
    """
    first = len(losses) // 10
    low = first + int(np.argmin(losses[first:])) + 1 if losses else 0
    if low - first < 3:
        return None
    slope = np.gradient(np.array(losses[first:low]), np.log(rates[first:low]))
    place = int(np.argmin(slope))
    return float(rates[first + place]) if slope[place] < 0 else None


def range_picture(rates: Any, losses: list[float], found: float | None) -> Figure:
    """Draw the loss over the rate, and what is suggested."""
    figure = canvas(4.6, 3.0)
    axes = figure.add_subplot()
    axes.plot(rates, losses, color=PALETTE[0], linewidth=2)
    axes.set_xscale("log")
    top = max(losses[0], min(losses)) + 0.6 * (max(losses[0], 1e-12) - min(losses))
    if max(losses) > top > min(losses):
        axes.set_ylim(top=top, bottom=min(losses) - 0.1 * (top - min(losses)))
    if found is not None:
        loss = losses[int(np.argmin(np.abs(rates[: len(losses)] - found)))]
        axes.plot([found], [loss], "o", color=PALETTE[1], markersize=8)
        axes.annotate(
            f"steepest: {found:.2g}",
            (found, loss),
            textcoords="offset points",
            xytext=(9, 6),
            color=PALETTE[1],
            fontsize=9,
        )
    axes.set(xlabel="learning rate", title="loss (smoothed) as the rate rises")
    axes.grid(color=FAINT, linewidth=0.6)
    quieten(axes)
    return figure


def _set_rate(trainer: Trainer, rate: float) -> None:
    """Scale the rates of all groups and schedules; the first one's is then `rate`."""
    schedules = [each.scheduler for each in trainer.lr_scheduler_configs]
    for schedule in schedules:
        bases: list[float] = getattr(schedule, "base_lrs")  # noqa: B009
        scaled = [base * (rate / bases[0]) for base in bases]
        groups = getattr(schedule, "optimizer").param_groups  # noqa: B009
        schedule.base_lrs = scaled  # pyright: ignore[reportAttributeAccessIssue]
        now = schedule.get_lr() if isinstance(schedule, Schedule) else None
        for place, group in enumerate(groups):
            group["initial_lr"] = scaled[place]
            ratio = scaled[place] / bases[place]
            group["lr"] = now[place] if now is not None else group["lr"] * ratio
