"""What callbacks write: rows for the loggers, pictures and texts for the run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning import Trainer
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.loggers import TensorBoardLogger
from matplotlib.figure import Figure

from nnlab.report.png import write_picture
from nnlab.report.tensorboard import show


def is_due(trainer: Trainer, step: int) -> bool:
    """Whether this optimizer step is one that is logged."""
    every: int = trainer.log_every_n_steps  # pyright: ignore[reportAttributeAccessIssue]
    return step % max(1, every) == 0


def log_row(
    trainer: Trainer, row: Mapping[str, float], step: int | None = None
) -> None:
    """Hand a row to every logger, at the number of optimizer steps done."""
    for logger in trainer.loggers:
        logger.log_metrics(
            {**row, "epoch": trainer.current_epoch},
            step=trainer.global_step if step is None else step,
        )


def board(trainer: Trainer) -> Any:
    """Return TensorBoard's writer; None where the run has none."""
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            return logger.experiment
    return None


@rank_zero_only
def keep(trainer: Trainer, name: str, shown: Figure | str) -> None:
    """Write a picture or a text of this step into the run's figures, and TensorBoard.

    Among those over training: the report shows them under their step.
    """
    folder = Path(trainer.default_root_dir) / "figures/over_training"
    folder.mkdir(parents=True, exist_ok=True)
    step = trainer.global_step
    file = folder / f"{name}_{step:08d}"
    if isinstance(shown, str):
        file = file.with_suffix(".txt")
        file.write_text(shown, encoding="utf-8")
    else:
        file = file.with_suffix(".png")
        write_picture(shown, file)
    writer = board(trainer)
    if writer is not None:
        show(writer, f"figures/{name}", file, step)
