"""How much memory a run takes, of the machine and of the device."""

import resource
import sys
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from .rows import is_due, log_row

MEGA = 1e6


class Memory(Callback):
    """Logs what the process holds and held at most, in megabytes (10^6 bytes).

    `memory/process` and `memory/process_peak` are the machine's. On a CUDA device
    `memory/device` is what tensors take, `memory/device_peak` their most since the row
    before, and `memory/device_reserved` what PyTorch keeps from others.
    """

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.global_step:  # a run that continues has its first row
            log_row(trainer, _row(pl_module.device))

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if is_due(trainer, trainer.global_step):
            log_row(trainer, _row(pl_module.device))


def _row(device: torch.device) -> dict[str, float]:
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    row = {"memory/process_peak": peak / MEGA}
    pages = Path("/proc/self/statm")
    if pages.is_file():
        held = int(pages.read_text(encoding="ascii").split()[1])
        row["memory/process"] = held * resource.getpagesize() / MEGA
    if device.type == "cuda":
        row["memory/device"] = torch.cuda.memory_allocated(device) / MEGA
        row["memory/device_peak"] = torch.cuda.max_memory_allocated(device) / MEGA
        row["memory/device_reserved"] = torch.cuda.memory_reserved(device) / MEGA
        torch.cuda.reset_peak_memory_stats(device)
    return row
