"""Stops a run that no longer gets better, and says when and why."""

import logging
from typing import Any, Literal

import lightning.pytorch.callbacks as callbacks
from lightning import Trainer
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason
from typing_extensions import override

from nnlab.limits import Count, Natural, NonNegative
from nnlab.numerals import below_one, counted

log = logging.getLogger("nnlab.run")


class EarlyStopping(callbacks.EarlyStopping):
    """Ends the training where the monitored metric has not improved for some epochs.

    The weights that are tested are the best ones in any case. `regularizer=
    early_stopping` is the same with the curve that shows where over-fitting began.

    Args:
        monitor, mode: the metric, and whether its `min` or `max` is the best.
        patience: how many validations it may be no better than the best.
        min_delta: by how much a better one must be better.
        threshold: it stops where the metric is as good as this; None: never.
        min_epochs: it does not stop before so many.
    """

    def __init__(
        self,
        *,
        monitor: str,
        mode: Literal["min", "max"],
        patience: Count,
        min_delta: NonNegative,
        threshold: float | None,
        min_epochs: Natural,
    ) -> None:
        super().__init__(
            monitor,
            mode=mode,
            patience=patience,
            min_delta=min_delta,
            stopping_threshold=threshold,
        )
        self.min_epochs = min_epochs
        self.best_epoch = 0

    @override
    def _run_early_stopping_check(self, trainer: Trainer) -> None:
        before, had_stopped = self.best_score, trainer.should_stop
        super()._run_early_stopping_check(trainer)
        epoch = trainer.current_epoch + 1
        if self.best_score is not before:
            self.best_epoch = epoch
        if trainer.should_stop and not had_stopped:
            trainer.should_stop = epoch >= self.min_epochs
            if trainer.should_stop:
                log.info(
                    "early stopping after epoch %s: %s", epoch, self._reason(trainer)
                )

    @override
    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "best_epoch": self.best_epoch}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self.best_epoch = state_dict.get("best_epoch", 0)

    def _reason(self, trainer: Trainer) -> str:
        value = float(trainer.callback_metrics[self.monitor])
        if self.stopping_reason is EarlyStoppingReason.STOPPING_THRESHOLD:
            return f"{self.monitor} is {below_one(value, '.4g')}, as good as asked for"
        if self.stopping_reason is EarlyStoppingReason.NON_FINITE_METRIC:
            return f"{self.monitor} is {value}"
        best = below_one(float(self.best_score), ".4g")
        return (
            f"{self.monitor} has been no better than {best} "
            f"(epoch {self.best_epoch}) for "
            f"{counted(self.wait_count, 'validation')}"
        )
