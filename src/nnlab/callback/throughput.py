"""How much is learned from in a second, and how much of the device that uses."""

import time
import warnings
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.fabric.utilities.throughput import get_available_flops
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from typing_extensions import override

from nnlab.learner import Learner, examples
from nnlab.limits import Positive

# Dense, as NVIDIA's data sheet has it: an H100's arithmetic; Lightning lacks the name.
H200_HALF, H200_TF32, H200_SINGLE = 989e12, 494e12, 67e12


class Throughput(Callback):
    """Logs the rate of tokens, or of examples, and the model FLOPs utilisation.

    That is the share of the device's peak that both passes need in theory: Chowdhery et
    al. 2022 (PaLM), https://arxiv.org/abs/2204.02311, appendix B. Multiplications are
    counted once, on a forward pass; a backward pass has twice as many. Validation is
    not timed.

    Args:
        peak_flops: of the device, a second; None: Lightning's table, which knows GPUs.
            Where neither says it, no utilisation is logged.
    """

    def __init__(self, *, peak_flops: Positive | None) -> None:
        self.peak_flops = peak_flops
        self._flops = 0.0  # of a batch's example, forward and backward
        self._examples = self._tokens = 0
        self._started_at = 0.0

    @override
    def on_train_epoch_start(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> None:
        self._restart()

    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if not self._flops:
            assert isinstance(pl_module, Learner)
            self._flops = 3 * forward_flops(pl_module, batch) / examples(batch)
            if self.peak_flops is None:
                self.peak_flops = _peak(trainer, pl_module)
            self._restart()

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self._examples += examples(batch)
        self._tokens += _tokens(batch)
        every: int = trainer.log_every_n_steps  # pyright: ignore
        if (batch_idx + 1) % every:
            return
        seconds = time.perf_counter() - self._started_at
        name = "tokens" if self._tokens else "examples"
        rate = (self._tokens or self._examples) / seconds
        row = {f"throughput/{name}_per_second": rate}
        if self.peak_flops:
            flops = self._flops * self._examples / seconds
            row["throughput/utilisation"] = flops / self.peak_flops
        for logger in trainer.loggers:
            logger.log_metrics(row, step=trainer.global_step)
        self._restart()

    def _restart(self) -> None:
        self._examples = self._tokens = 0
        self._started_at = time.perf_counter()


@torch.no_grad()
def forward_flops(learner: Learner, batch: Any) -> int:
    """Count a forward pass's multiplications and additions; changes nothing."""
    was_training = learner.training
    learner.eval()
    with FlopCounterMode(display=False) as counter:
        type(learner).measure(learner, batch)  # not the compiled one
    learner.train(was_training)
    return counter.get_total_flops()


def _tokens(batch: Any) -> int:
    """Return how many tokens a batch holds; 0 where it is no text."""
    first = batch[0] if isinstance(batch, tuple | list) else batch
    is_text = isinstance(first, Tensor) and first.ndim == 2
    return first.numel() if is_text and not first.is_floating_point() else 0


def _peak(trainer: Trainer, module: LightningModule) -> float | None:
    if module.device.type != "cuda":
        return None
    is_half = "16" in str(trainer.precision)
    if "H200" in torch.cuda.get_device_name(module.device):
        is_tf32 = torch.get_float32_matmul_precision() != "highest"
        return H200_HALF if is_half else H200_TF32 if is_tf32 else H200_SINGLE
    dtype = torch.bfloat16 if is_half else torch.float32
    with warnings.catch_warnings():  # of a device that it does not know: not logged
        warnings.simplefilter("ignore")
        return get_available_flops(module.device, dtype)
