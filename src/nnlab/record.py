"""What a run writes down while it trains: metrics by step, pictures by epoch."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer
from lightning.fabric.utilities.apply_func import move_data_to_device
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from typing_extensions import override

from nnlab.learner import Learner
from nnlab.report.tensorboard import show

log = logging.getLogger("nnlab.run")

LINES = 3  # of a text, on the terminal


class MetricsFile(Logger):
    """Writes metrics.jsonl: a line a step at which something was measured."""

    def __init__(self, file: Path, *, rows: int) -> None:
        super().__init__()
        self.rows = rows
        self._path = file
        if file.is_file():
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
        if trainer.fit_loop._should_accumulate():  # pyright: ignore[reportPrivateUsage]
            return  # no step was done
        step, every = trainer.global_step, trainer.log_every_n_steps  # pyright: ignore
        if step % every == 0:
            self._log_recent(trainer, pl_module)

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
        means = learner.meters["train"].recent()
        row = {f"train/{name}": value for name, value in means.items()}
        if row:
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            _log(trainer, {**row, "learning_rate": float(rate)})


class Illustrate(Callback):
    """Draws the model's pictures from validation examples, some times in a run."""

    def __init__(self, folder: Path, *, times: int, examples: int) -> None:
        self.folder, self.examples = folder, examples
        # Early epochs change most: the moments lie evenly in the root of time.
        self.moments = [(i / max(times - 1, 1)) ** 2 for i in range(times)]
        self._share = -1.0

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step:  # continued: what lies behind has been drawn
            self._share = share_done(trainer, trainer.current_epoch)

    @override
    @rank_zero_only
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking:
            return
        before, self._share = (
            self._share,
            share_done(trainer, trainer.current_epoch + 1),
        )
        if not any(before < moment <= self._share for moment in self.moments):
            return
        assert isinstance(pl_module, Learner)
        data: Any = getattr(trainer, "datamodule")  # noqa: B009  # untyped there
        batch = first_examples(data, pl_module, "val", self.examples)
        step = trainer.global_step
        files = draw(pl_module, batch, self.folder / "over_training", step)
        for name, file in files.items():
            if file.suffix == ".txt":
                lines = file.read_text(encoding="utf-8").strip().splitlines()
                log.info("%s:", name.replace("_", " "))
                for line in lines[:LINES]:
                    log.info("    %s", line)
            for logger in trainer.loggers:
                if isinstance(logger, TensorBoardLogger):
                    show(logger.experiment, f"figures/{name}", file, step)


def share_done(trainer: Trainer, epochs_done: int) -> float:
    """Return how much of the run is done, from 0 to 1; 0 where it has no set end."""
    last_epoch, last_step = trainer.max_epochs or -1, trainer.max_steps
    epochs = epochs_done / last_epoch if last_epoch > 0 else 0
    steps = trainer.global_step / last_step if last_step > 0 else 0
    return max(epochs, steps)


def draw(
    learner: Learner, batch: Any, folder: Path, step: int | None
) -> dict[str, Path]:
    """Write the model's pictures (PNG) and texts of a batch; return files by name."""
    with torch.no_grad():
        was_training = learner.training
        learner.eval()
        shown = learner.illustrate(batch)
        learner.train(was_training)
    files: dict[str, Path] = {}
    for name, picture in shown.items():
        folder.mkdir(parents=True, exist_ok=True)
        stem = name if step is None else f"{name}_{step:08d}"
        if isinstance(picture, str):
            files[name] = folder / f"{stem}.txt"
            files[name].write_text(picture, encoding="utf-8")
        else:
            files[name] = folder / f"{stem}.png"
            picture.savefig(files[name], dpi=110)
    return files


def first_examples(
    data: LightningDataModule, learner: Learner, stage: str, count: int
) -> Any:
    """Return up to `count` examples of a split as one batch, on the model's device."""
    loader: Any = data.val_dataloader() if stage == "val" else data.test_dataloader()
    parts: list[Any] = []
    held = 0
    for batch in loader:
        moved = move_data_to_device(batch, learner.device)
        parts.append(data.on_after_batch_transfer(moved, 0))
        held += len(parts[-1][0])
        if held >= count:
            break
    return tuple(torch.cat(tensors)[:count] for tensors in zip(*parts, strict=True))


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
