"""EMA: an exponential moving average of the weights."""

from typing import Any

from lightning import LightningModule, Trainer
from typing_extensions import override

from nnlab.limits import Count, Natural, Share

from .averaging import Averaging


class EMA(Averaging):
    """After each step the average moves towards the weights by 1 - decay.

    Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging";
    as it is used today: Tarvainen & Valpola 2017, https://arxiv.org/abs/1703.01780.
    Before `start_step` nothing is averaged, and validation sees the weights themselves.

    Args:
        decay: the share of the average that is kept at an update.
        warmup: a young average forgets fast: it keeps (1 + n) / (10 + n) after n
            updates, and `decay` at most.
        start_step: the optimizer step whose weights are the first average.
        every_n_steps: how often it is moved.
    """

    def __init__(
        self, *, decay: Share, warmup: bool, start_step: Natural, every_n_steps: Count
    ) -> None:
        super().__init__()
        self.decay, self.warmup = decay, warmup
        self.start_step, self.every_n_steps = start_step, every_n_steps
        self._seen = 0

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        self._seen = trainer.global_step

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        step, before = trainer.global_step, self._seen
        self._seen = step
        if step == before or step < self.start_step:
            return  # an accumulation window is open, or it is early
        if (step - max(1, self.start_step)) % self.every_n_steps == 0:
            self.take_in(pl_module, 1 - self._kept())

    def _kept(self) -> float:
        if not self.warmup:
            return self.decay
        return min(self.decay, (1 + self.updates) / (10 + self.updates))
