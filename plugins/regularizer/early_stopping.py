"""Early stopping: training ends once the held-out error no longer falls.

Prechelt (1998), "Early Stopping - But When?", in Neural Networks: Tricks of the Trade,
LNCS 1524, criterion UP. https://doi.org/10.1007/3-540-49430-8_3

    stop after `patience` validations without a value better than the best by min_delta

The weights that are tested are the best ones, as in every run. At the end it draws
both errors over the epochs, and where over-fitting began: where the held-out error was
least while the other went on falling. Stage: after validation.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lightning import LightningModule, Trainer
from lightning.pytorch import callbacks
from torch import Tensor
from typing_extensions import override

from nnlab.limits import Count, NonNegative
from nnlab.regularizer import Regularizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger("nnlab.run")

Row = list[float]  # epoch, training error, held-out error


class EarlyStopping(Regularizer, callbacks.EarlyStopping):
    """Lightning's own, with the curve; logs how many validations were no better.

    Args:
        monitor, mode: the metric, and whether its `min` or `max` is best.
        patience: validations that may pass without a better value.
        min_delta: what counts as better.
    """

    def __init__(
        self,
        *,
        monitor: str,
        mode: Literal["min", "max"],
        patience: Count,
        min_delta: NonNegative,
    ) -> None:
        Regularizer.__init__(self)
        callbacks.EarlyStopping.__init__(
            self,
            monitor,
            min_delta=min_delta,
            patience=patience,
            mode=mode,
            check_on_train_epoch_end=True,  # when the training error is known as well
        )
        self.rows: list[Row] = []
        self._has_validated = False

    def numbers(self) -> Mapping[str, Tensor | float]:
        return {self.name: self.wait_count}

    @override
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._has_validated = not trainer.sanity_checking

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._has_validated and not trainer.fast_dev_run:  # pyright: ignore
            self._has_validated = False
            found = trainer.callback_metrics
            twin = found.get(self.monitor.replace("val/", "train/", 1))
            train = float("nan") if twin is None else float(twin)
            epoch = trainer.current_epoch + 1
            self.rows.append([float(epoch), train, float(found[self.monitor])])
            callbacks.EarlyStopping.on_train_epoch_end(self, trainer, pl_module)
        super().on_train_epoch_end(trainer, pl_module)

    @override
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self.rows or not trainer.is_global_zero:
            return
        log.info("early stopping: %s", self.sentence())
        from nnlab.report.png import write_picture

        folder = Path(trainer.default_root_dir) / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        write_picture(self.picture(), folder / f"{self.name}.png")

    @override
    def state_dict(self) -> dict[str, Any]:
        rows = [[*row] for row in self.rows]
        return {**callbacks.EarlyStopping.state_dict(self), "rows": rows}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        callbacks.EarlyStopping.load_state_dict(self, state_dict)
        self.rows = [[*row] for row in state_dict["rows"]]

    @property
    def best(self) -> int:
        """The place in `rows` of the best held-out error."""
        sign = 1 if self.mode == "min" else -1
        return min(range(len(self.rows)), key=lambda row: sign * self.rows[row][2])

    @property
    def overfits(self) -> bool:
        """Whether after the best the training error still improved, the other not."""
        sign = 1 if self.mode == "min" else -1
        trained = [sign * row[1] for row in self.rows[self.best :]]
        return len(trained) > 1 and min(trained[1:]) < trained[0]

    def sentence(self) -> str:
        """Say where over-fitting began, and whether that ended the training."""
        epoch, _, value = self.rows[self.best]
        end = int(self.rows[-1][0])
        said = f"{self.monitor} was best after epoch {epoch:.0f} ({value:.4g})"
        if self.overfits:
            said += "; from there on the training data were learned by heart"
        ended = "stopped" if self.stopped_epoch else "ended"
        return f"{said}; {ended} after epoch {end}"

    def picture(self) -> "Figure":
        """Draw both errors over the epochs, and a line where over-fitting began."""
        from .error_curve import error_curve

        label = "over-fitting begins" if self.overfits else "best"
        return error_curve(self.rows, name=self.monitor, best=self.best, label=label)
