"""A run that takes turns with other loops, so that all meet the same noise."""

import json
import os
import time
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from nnlab.ext.gpt_step.loops import HandWritten, NanoGPT

from nnlab.limits import Count

NVML_CHECK = "PYTORCH_NVML_BASED_CUDA_CHECK"


def clocks() -> tuple[float, float]:
    """Return the wall's time and this process's own on the processor."""
    return time.perf_counter(), time.process_time()


class Comparison(Callback):
    """Times `chunk_size` steps of the run, then as many of each loop, and so on.

    A turn is written as [wall, processor] of the run, the hand-written loop, and
    nanoGPT's where its folder is given. A run's step lasts from one batch's start to
    the next; validation is not in it.
    """

    def __init__(
        self, *, chunk_size: Count, chunks: Count, nanogpt: str | None, file: str
    ) -> None:
        self.chunk_size, self.chunks = chunk_size, chunks
        self.nanogpt, self.file = nanogpt, Path(file)
        self.turns: list[list[list[float]]] = []
        self._steps = 0
        self._started = clocks()

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data: Any = trainer.datamodule
        data.setup()
        ids = torch.as_tensor(data.splits.train[0]).clone()
        self._loops: list[HandWritten | NanoGPT] = [HandWritten(ids)]
        hand, ours = (
            sum(p.numel() for p in each.parameters())
            for each in (self._loops[0].network, pl_module)
        )
        assert hand == ours, f"the loop trains {hand} weights, the run {ours}"
        if self.nanogpt is not None:
            text = self.file.with_suffix(".bin")
            self._loops.append(NanoGPT(ids, Path(self.nanogpt), text))

    def on_train_epoch_start(self, *_: Any) -> None:
        self._steps = 0

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        if self._steps == self.chunk_size:
            turn = [self._since()]
            for loop in self._loops:
                turn.append(self._turn_of(loop))
            self.turns.append(turn)
            self._steps = 0
            trainer.should_stop = len(self.turns) > self.chunks
        if self._steps == 0:
            self._started = clocks()
        self._steps += 1

    def on_train_end(self, *_: Any) -> None:
        self.file.write_text(json.dumps(self.turns[1:]))  # the first warms up

    def _since(self) -> list[float]:
        return [now - then for now, then in zip(clocks(), self._started, strict=True)]

    def _turn_of(self, loop: HandWritten | NanoGPT) -> list[float]:
        # Lightning has torch.optim look for a GPU through NVML at each step; a process
        # that never imported Lightning does not pay for that.
        before = os.environ.get(NVML_CHECK)
        os.environ[NVML_CHECK] = "0"
        self._started = clocks()
        loop.take(self.chunk_size)
        seconds = self._since()
        if before is not None:
            os.environ[NVML_CHECK] = before
        return seconds
