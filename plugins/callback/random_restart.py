"""Several starts: the one that learned most in a trial is trained."""

import logging
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from nnlab.batches import mix
from nnlab.build import build_model
from nnlab.checkpoint import Checkpoints
from nnlab.learner import Learner, examples
from nnlab.limits import Count
from nnlab.picture.curves import Series, curves
from nnlab.plugins import find_plugins

from .rows import keep
from .trial import NOT_WITH, Trial, endless_batches, own_randomness, validation_batches

log = logging.getLogger("nnlab.run")

VALIDATED = 50  # batches, at most
POINTS = 100  # of a curve


class RandomRestart(Callback):
    """Draws the initial weights anew, and keeps those whose trial ends best.

    What a network ends in depends on where it starts: XOR by two hidden units fails
    from about one start in five (Rumelhart et al. 1986). Each start is trained on the
    run's own data for some steps, at the optimizer's rate without a schedule, and
    judged by the validation loss. The run then trains the best one from its beginning:
    it is an ordinary run of these initial weights. The first start is the run's own;
    where all are equally good, it stays.

    Args:
        starts: how many, the run's own included.
        steps: of a trial.
    """

    not_with: ClassVar[Mapping[str, str]] = {
        **NOT_WITH,
        "earlier weights": "it would throw them away",
    }

    def __init__(self, *, starts: Count, steps: Count) -> None:
        if starts < 2:
            raise ValueError(
                f"callback.random_restart.starts={starts} is no choice; give at least 2"
            )
        self.starts, self.steps = starts, steps

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, Learner)
        if trainer.global_step:
            return  # continued: its start was chosen
        weights = [start.state_dict() for start in self._draw(trainer, pl_module)]
        scores: list[float] = []
        series: dict[str, Series] = {}
        for number, state in enumerate(weights, start=1):
            with own_randomness(pl_module):
                trial = Trial(trainer, pl_module)
                trial.learner.load_state_dict(state)
                losses = self._train(trial, trainer, pl_module)
                scores.append(_validated(trial, trainer, pl_module))
            series[f"start {number}"] = losses
        best = min(range(len(scores)), key=lambda n: (_or_infinite(scores[n]), n))
        best = trainer.strategy.broadcast(best)  # all ranks the same
        pl_module.load_state_dict(weights[best])
        self._report(trainer, scores, best, series)

    def _draw(self, trainer: Trainer, learner: Learner) -> list[Learner]:
        """Return models with the initial weights of each start."""
        kept = trainer.checkpoint_callbacks
        config = next(each.config for each in kept if isinstance(each, Checkpoints))
        starts = [learner]
        for number in range(1, self.starts):
            with own_randomness(learner):
                torch.manual_seed(mix(learner.seed, number))
                starts.append(build_model(config, find_plugins()).to(learner.device))
        return starts

    def _train(self, trial: Trial, trainer: Trainer, learner: Learner) -> Series:
        batches = endless_batches(trainer, learner)
        losses = [trial.step(next(batches)) for _ in range(self.steps)]
        width = -(-self.steps // POINTS)
        means = [
            sum(part) / len(part)
            for part in (losses[i : i + width] for i in range(0, self.steps, width))
        ]
        return [width * (i + 1) for i in range(len(means))], means

    def _report(
        self,
        trainer: Trainer,
        scores: list[float],
        best: int,
        series: dict[str, Series],
    ) -> None:
        shown = ", ".join(f"{score:.4g}" for score in scores)
        log.info("random_restart: start %s is the best of %s", best + 1, shown)
        kept = f"start {best + 1}"
        few = {n: series[n] for n in [*(n for n in series if n != kept)][:5]}
        few[f"{kept}, kept"] = series[kept]
        keep(trainer, "random_restart", curves(few, title="trial loss of each start"))


def _validated(trial: Trial, trainer: Trainer, learner: Learner) -> float:
    total, count = 0.0, 0
    for batch in validation_batches(trainer, learner, VALIDATED):
        total += trial.loss(batch) * examples(batch)
        count += examples(batch)
    return total / max(1, count)


def _or_infinite(score: Any) -> float:
    return score if math.isfinite(score) else math.inf
