"""What a model looks like: pictures drawn while it trains, and at the end."""

import copy
import logging
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer
from lightning.fabric.utilities.apply_func import move_data_to_device
from lightning.pytorch.loggers import TensorBoardLogger
from typing_extensions import override

from nnlab.learner import Learner
from nnlab.report.tensorboard import show
from nnlab.trainer import has_float32, is_sharded

log = logging.getLogger("nnlab.run")

LINES = 3  # of a text, on the terminal


class Portrait:
    """The model to draw: itself, or a whole copy where its weights are not as drawn.

    A sharded model's processes would wait for each other in the middle of a picture,
    and pictures are of 32-bit floats.

    Args:
        model: before it is trained.
        settings: of `trainer`, its objects made.
    """

    def __init__(self, model: Learner, settings: Mapping[str, Any]) -> None:
        self.model = model
        is_other = is_sharded(settings.get("strategy")) or not has_float32(settings)
        self.copy = copy.deepcopy(model) if is_other else None

    def of(self, trainer: Trainer) -> Learner | None:
        """Return the model as it is now, on rank 0; all ranks must ask."""
        if self.copy is not None:
            weights = trainer.strategy.lightning_module_state_dict()
            self.copy.load_state_dict(weights)
            self.copy.trainer = trainer
            own = vars(self.copy)  # and what it has found out by itself
            own |= {name: vars(self.model)[name] for name in own if name[0] != "_"}
        return (self.copy or self.model) if trainer.is_global_zero else None


class Illustrate(Callback):
    """Draws the model's pictures from validation examples, some times in a run.

    Args:
        folder: gets them.
        portrait: what is drawn.
        times, examples: how often, and of how many.
        aside: entered meanwhile, for it is no training.
    """

    def __init__(
        self,
        folder: Path,
        portrait: Portrait,
        *,
        times: int,
        examples: int,
        aside: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.folder, self.portrait, self.examples = folder, portrait, examples
        self.aside = aside
        # Early epochs change most: the moments lie evenly in the root of time.
        self.moments = [(i / max(times - 1, 1)) ** 2 for i in range(times)]
        self._share = -1.0

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step:  # continued: what lies behind has been drawn
            self._share = share_done(trainer, trainer.current_epoch)

    @override
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking:
            return
        before, self._share = (
            self._share,
            share_done(trainer, trainer.current_epoch + 1),
        )
        if any(before < moment <= self._share for moment in self.moments):
            with self.aside():
                self._draw(trainer)

    def _draw(self, trainer: Trainer) -> None:
        model = self.portrait.of(trainer)
        if model is None:  # the first rank draws
            return
        data: Any = getattr(trainer, "datamodule")  # noqa: B009  # untyped there
        batch = first_examples(data, model, "val", self.examples)
        step = trainer.global_step
        files = draw(model, batch, self.folder / "over_training", step)
        for name, file in files.items():
            if file.suffix == ".txt":
                lines = file.read_text(encoding="utf-8").strip().splitlines()
                log.info("%s:", name.replace("_", " "))
                for line in lines[:LINES]:
                    log.info("    %s", _cut(line))
            for logger in trainer.loggers:
                if isinstance(logger, TensorBoardLogger):
                    show(logger.experiment, f"figures/{name}", file, step)


def _cut(line: str) -> str:
    """Return as much of a text's line as a terminal shows; its file has the whole."""
    room = shutil.get_terminal_size().columns - 4
    return line if len(line) <= room else f"{line[: room - 1]}…"


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
            from nnlab.report.png import write_picture  # and matplotlib

            files[name] = folder / f"{stem}.png"
            write_picture(picture, files[name])
    return files


def first_examples(
    data: LightningDataModule, learner: Learner, stage: str, count: int
) -> Any:
    """Return up to `count` examples of a split as one batch, on the model's device."""
    trainer, data.trainer = data.trainer, None  # which has it serve a rank's part
    try:
        return _first_examples(data, learner, stage, count)
    finally:
        data.trainer = trainer


def _first_examples(
    data: LightningDataModule, learner: Learner, stage: str, count: int
) -> Any:
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
