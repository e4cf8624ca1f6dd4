"""Checkpoints that are whole or not there, hold plain data only, and are checked."""

import math
import os
import time
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint
from typing_extensions import override

from nnlab.agreement import Agreement
from nnlab.errors import UserError
from nnlab.interrupt import Interrupt, Interrupted
from nnlab.report.mask import masked

Content = dict[str, Any]
ASK_SECONDS = 0.2  # between two questions of a rank to the others
# What zipfile raises of a damaged file: a flipped bit may ask for another compression.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target, then renames; reads tensors and plain containers only.

    Lightning writes in place, or into the folder of temporary files, which may be on
    another disk: a kill while it copies leaves half a file (L#21253).
    """

    @override
    def save_checkpoint(
        self, checkpoint: Content, path: Any, storage_options: Any | None = None
    ) -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        try:
            with part.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # else the new name itself may be lost with the power
        finally:
            os.close(folder)

    @override
    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None
    ) -> Content:
        return read_checkpoint(Path(path), map_location)


def read_checkpoint(file: Path, map_location: Any = "cpu") -> Content:
    """Return a checkpoint's content, every bit of it checked, nothing of it run.

    Raises:
        UserError: where it is missing, cut off, damaged, or not of nnlab.
    """
    if not file.is_file():
        raise UserError(f"there is no checkpoint {file}")
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = _unlike_torch(archive) or archive.testzip()
    except UNREADABLE as error:
        raise UserError(
            f"{file} is not a whole checkpoint ({_line(error)}); take another one of "
            "the run, or train anew"
        ) from error
    if damaged is not None:
        raise UserError(
            f"{file} is damaged (its part {damaged} fails its checksum); take another "
            "checkpoint of the run, or train anew"
        )
    try:
        content: Any = torch.load(file, map_location=map_location, weights_only=True)
    except Exception as error:  # torch raises what the pickle leads to
        raise UserError(
            f"{file} holds more than tensors and plain data, so it was not read "
            f"({_line(error)})"
        ) from error
    if not isinstance(content, dict) or not {"state_dict", "nnlab"} <= set(content):
        raise UserError(f"{file} is a checkpoint, but not one that nnlab wrote")
    return content


def _unlike_torch(archive: zipfile.ZipFile) -> str | None:
    # No checksum covers the attributes: one bit makes a part a folder, which torch
    # reads as a tensor of whatever was in memory. torch packs nothing: what is packed
    # may unpack to more than there is memory.
    return next(
        (
            part.filename
            for part in archive.infolist()
            if part.external_attr or part.compress_type != zipfile.ZIP_STORED
        ),
        None,
    )


class Checkpoints(Checkpoint):
    """Keeps the best weights by a monitored metric, and the last state to go on from.

    Args:
        folder: gets best.ckpt and last.ckpt.
        config: goes into each, so that the model is rebuilt from the file alone.
        monitor, mode: the metric whose `min` or `max` is the best.
        seconds: how much work a kill may cost, at most.
        interrupt: asked after every step whether the run is to stop.
    """

    def __init__(
        self,
        folder: Path,
        *,
        config: Content,
        monitor: str,
        mode: str,
        seconds: float,
        interrupt: Interrupt,
    ) -> None:
        self.folder, self.config = folder, config
        self.monitor, self.sign = monitor, 1 if mode == "min" else -1
        self.seconds, self.interrupt = seconds, interrupt
        self.agreement = Agreement(min(seconds, ASK_SECONDS))
        self.best_value: float | None = None
        self.best_epoch: int | None = None
        self.measured: float | None = None  # by the last validation
        self.seconds_before = self.processor_seconds_before = 0.0
        self.seconds_aside = 0.0
        self._started_at = self._saved_at = time.monotonic()
        self._processor_at = time.process_time()

    @property
    def best(self) -> Path:
        return self.folder / "best.ckpt"

    @property
    def last(self) -> Path:
        return self.folder / "last.ckpt"

    @override
    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: Content
    ) -> None:
        config = masked(self.config)
        checkpoint["nnlab"] = {"config": config}
        # where Lightning's own `load_from_checkpoint` looks for a model's numbers
        checkpoint["hyper_parameters"] = {
            name: value for name, value in config["model"].items() if name != "_target_"
        }
        tokenizer = getattr(trainer.datamodule, "tokenizer", None)  # pyright: ignore
        if tokenizer is not None:  # a language model is nothing without its alphabet
            checkpoint["nnlab"]["tokenizer"] = tokenizer.state()

    @override
    def state_dict(self) -> Content:
        here = time.monotonic() - self._started_at - self.seconds_aside
        clock = self.seconds_before + here
        return {
            "best_value": self.best_value,
            "best_epoch": self.best_epoch,
            "measured": self.measured,
            "spent_seconds": [clock, self.processor_seconds()],
        }

    @override
    def load_state_dict(self, state_dict: Content) -> None:
        self.best_value = state_dict["best_value"]
        self.best_epoch = state_dict["best_epoch"]
        self.measured = state_dict.get("measured")  # not there before 2026-11-20
        spent = state_dict["spent_seconds"]
        spent = spent if isinstance(spent, list) else [spent, 0.0]  # before 2026-11-20
        self.seconds_before, self.processor_seconds_before = spent

    @contextmanager
    def aside(self) -> Generator[None]:
        """Leave what is done within out of the seconds of training."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds_aside += time.monotonic() - began

    def processor_seconds(self) -> float:
        """Return what this process has computed, all threads together."""
        return self.processor_seconds_before + time.process_time() - self._processor_at

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.interrupt.take_over()

    @override
    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.interrupt.take_over()

    @override
    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        _stop(self._wish())

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
            return  # half-summed gradients are in no checkpoint
        wish = self._wish()
        if not wish or trainer.is_last_batch or _validates_next(trainer):
            return  # a run continued from its end would leave out the validation
        self._save_last(trainer)
        _stop(wish)

    @override
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._measure(trainer)

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._measure(trainer)
        value = self.measured
        if value is not None and self._is_better(value):
            self.best_value, self.best_epoch = value, trainer.current_epoch + 1
            trainer.save_checkpoint(self.best)
        wish = self._wish(now=True)
        if wish or self._is_over(trainer):
            self._save_last(trainer)
        _stop(wish)

    def _wish(self, *, now: bool = False) -> int:
        """Return what all ranks do here: go on (0), save (1), or end by a signal."""
        is_due = time.monotonic() - self._saved_at > self.seconds
        return self.agreement.ask(self.interrupt.number or int(is_due), now=now)

    def _measure(self, trainer: Trainer) -> None:
        # Remembered, because the last validation may lie before where a run continues.
        if self.monitor in trainer.callback_metrics:
            self.measured = float(trainer.callback_metrics[self.monitor])

    def _is_better(self, value: float) -> bool:
        if math.isnan(value):
            return False
        return self.best_value is None or self.sign * (value - self.best_value) < 0

    def _is_over(self, trainer: Trainer) -> bool:
        epochs, steps = trainer.max_epochs, trainer.max_steps
        return (
            trainer.should_stop
            or (
                epochs is not None
                and epochs != -1
                and trainer.current_epoch + 1 >= epochs
            )
            or (steps != -1 and trainer.global_step >= steps)
        )

    def _save_last(self, trainer: Trainer) -> None:
        trainer.save_checkpoint(self.last)
        self._saved_at = time.monotonic()


def _validates_next(trainer: Trainer) -> bool:
    """Whether a validation follows this batch, within an epoch or at its end."""
    loop = trainer.fit_loop
    assert loop._data_fetcher is not None  # pyright: ignore[reportPrivateUsage]
    return loop.epoch_loop._should_check_val_fx(loop._data_fetcher)  # pyright: ignore


def _stop(wish: int) -> None:
    if wish > 1:
        raise Interrupted(wish)


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error) else type(error).__name__
