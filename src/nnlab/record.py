"""What a run writes down while it trains: metrics by step."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.loggers import Logger
from typing_extensions import override

from nnlab.learner import Learner
from nnlab.place import is_first
from nnlab.ranks import sum_of_all


class MetricsFile(Logger):
    """Writes metrics.jsonl: a line a step at which something was measured."""

    def __init__(self, file: Path, *, rows: int) -> None:
        super().__init__()
        self.rows = rows
        self._path = file
        if file.is_file() and is_first():
            _keep_rows(file, rows)

    @property
    @override
    def name(self) -> str:
        return "metrics"

    @property
    @override
    def version(self) -> str:
        return ""

    @override
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: config.yaml holds them."""

    @override
    @rank_zero_only
    def log_metrics(
        self, metrics: Mapping[str, float], step: int | None = None
    ) -> None:
        row = {"step": step, **{key: _number(value) for key, value in metrics.items()}}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.rows += 1


class Record(Callback):
    """Hands the loggers what the meters hold: every few steps, and after validation.

    Everything is logged at the number of optimizer steps done so far, training and
    validation alike, so that their curves lie over each other. The checkpoint knows
    how much of metrics.jsonl was written before it.
    """

    def __init__(self, metrics: MetricsFile) -> None:
        self.metrics = metrics

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.metrics.rows}

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        step, every = trainer.global_step, trainer.log_every_n_steps  # pyright: ignore
        if step % every == 0 and not trainer.fit_loop._should_accumulate():  # pyright: ignore
            self._log_recent(trainer, pl_module)  # and only where a step was done

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log_recent(trainer, pl_module)

    @override
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            _log(trainer, _of_stage(trainer, "val/"))

    @override
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        _log(trainer, _of_stage(trainer, "test/"))

    def _log_recent(self, trainer: Trainer, learner: LightningModule) -> None:
        if not isinstance(learner, Learner):
            return
        means = learner.meters["train"].recent(sum_of_all)
        row = {f"train/{name}": value for name, value in means.items()}
        if row:
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            _log(trainer, {**row, "learning_rate": float(rate)})


def _of_stage(trainer: Trainer, prefix: str) -> dict[str, float]:
    metrics = trainer.callback_metrics
    return {name: float(metrics[name]) for name in metrics if name.startswith(prefix)}


def _log(trainer: Trainer, row: Mapping[str, float]) -> None:
    if not row:
        return
    for logger in trainer.loggers:
        logger.log_metrics(
            {**row, "epoch": trainer.current_epoch}, step=trainer.global_step
        )


def _keep_rows(file: Path, rows: int) -> None:
    """Drop the lines that a killed run wrote after the state it continues from."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    part = file.with_name(file.name + ".part")
    part.write_text("".join(lines[:rows]), encoding="utf-8")
    part.replace(file)


def _number(value: Any) -> float | int:
    return value if isinstance(value, int) else float(value)
