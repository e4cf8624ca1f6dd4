"""A run that takes turns with a hand-written loop, so that both meet the same noise."""

import json
import os
import time
from pathlib import Path
from typing import Any, Literal

import torch
from lightning import Callback, LightningModule, Trainer
from nnlab.ext.step_time.hand_written import Loader, Loop
from nnlab.ext.step_time.networks import NETWORKS
from torch import Tensor, nn

from nnlab.limits import Count

NVML_CHECK = "PYTORCH_NVML_BASED_CUDA_CHECK"

# Seconds of a turn: the run's and the loop's by the clock, both on the processor.
Turn = tuple[float, float, float, float]


def clocks() -> tuple[float, float]:
    """Return the wall's time and this process's own on the processor."""
    return time.perf_counter(), time.process_time()


def since(started: tuple[float, float]) -> tuple[float, float]:
    """Return the seconds gone by on both clocks."""
    wall, processor = clocks()
    return wall - started[0], processor - started[1]


@torch.no_grad()
def check_same(network: nn.Module, model: nn.Module, example: Tensor) -> None:
    """Refuse to compare two networks that do not compute the same."""
    trainable = (
        [weight for weight in module.parameters() if weight.requires_grad]
        for module in (network, model)
    )
    pairs = zip(*trainable, strict=True)
    for weight, trained in pairs:
        weight.copy_(trained)
    torch.testing.assert_close(network(example), model(example))


class Comparison(Callback):
    """Times `chunk_size` steps of the run, then as many of the loop, and so on.

    A run's step lasts from one batch's start to the next: all of Lightning, nnlab, its
    log and its progress bar are in it; validation between two epochs is not.
    """

    def __init__(
        self,
        *,
        network: Literal[
            "xor", "mlp", "lenet5", "lstm_adder", "siamese", "autoencoder", "gan"
        ],
        loader: Loader,
        chunk_size: Count,
        chunks: Count,
        file: str,
    ) -> None:
        self.network, self.loader, self.file = network, loader, Path(file)
        self.chunk_size, self.chunks = chunk_size, chunks
        self.turns: list[Turn] = []
        self._steps = 0
        self._started = clocks()

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data: Any = trainer.datamodule
        data.setup()
        examples = data.splits.train
        network = NETWORKS[self.network]()
        some, *_ = network.batch(examples, torch.arange(min(8, len(examples[0]))))
        check_same(network, pl_module, some)
        size = data.batch_size
        self._loop = Loop(network, examples, batch_size=size, loader=self.loader)

    def on_train_epoch_start(self, *_: Any) -> None:
        self._steps = 0

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        if self._steps == self.chunk_size:
            wall, processor = since(self._started)
            loop_wall, loop_processor = self._loop_turn()
            self.turns.append((wall, loop_wall, processor, loop_processor))
            self._steps = 0
            trainer.should_stop = len(self.turns) > self.chunks
        if self._steps == 0:
            self._started = clocks()
        self._steps += 1

    def on_train_end(self, *_: Any) -> None:
        self.file.write_text(json.dumps(self.turns[1:]))  # the first warms up

    def _loop_turn(self) -> tuple[float, float]:
        # Lightning has torch.optim look for a GPU through NVML at each step; a process
        # that never imported Lightning does not pay for that.
        before = os.environ.get(NVML_CHECK)
        os.environ[NVML_CHECK] = "0"
        started = clocks()
        self._loop.take(self.chunk_size)
        seconds = since(started)
        if before is not None:
            os.environ[NVML_CHECK] = before
        return seconds
