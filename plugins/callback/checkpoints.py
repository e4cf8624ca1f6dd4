"""More checkpoints than the best and the last: every so often, or the best few."""

import math
from pathlib import Path
from typing import Any, Literal

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from typing_extensions import override

from nnlab.limits import Count


class KeptCheckpoints(Checkpoint):
    """Writes into the run's checkpoints/, whole or not at all, as nnlab's own are.

    Each is tested by `nnlab test run=<folder>/checkpoints/<file>`. Lightning calls
    subclasses of `Checkpoint` last, when the step's other work is done.
    """

    def write(self, trainer: Trainer, name: str) -> Path:
        """Save the run's state under a name, and return the file."""
        file = Path(trainer.default_root_dir) / "checkpoints" / f"{name}.ckpt"
        trainer.save_checkpoint(file)
        return file


class EveryNEpochs(KeptCheckpoints):
    """Keeps `epoch_0005.ckpt` of every n-th epoch."""

    def __init__(self, *, every_n_epochs: Count) -> None:
        self.every_n_epochs = every_n_epochs

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        if epoch % self.every_n_epochs == 0:
            self.write(trainer, f"epoch_{epoch:04d}")


class EveryNSteps(KeptCheckpoints):
    """Keeps `step_00000500.ckpt` of every n-th optimizer step."""

    def __init__(self, *, every_n_steps: Count) -> None:
        self.every_n_steps = every_n_steps
        self._seen = -1

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
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
        step = trainer.global_step
        if step != self._seen and step % self.every_n_steps == 0:
            self.write(trainer, f"step_{step:08d}")
        self._seen = step


class TopK(KeptCheckpoints):
    """Keeps those of the best k epochs: `top_epoch_0012.ckpt`.

    Args:
        k: how many; the worst of more is deleted once the better one is written.
        monitor, mode: the metric whose `min` or `max` is the best.
    """

    def __init__(self, *, k: Count, monitor: str, mode: Literal["min", "max"]) -> None:
        self.k, self.monitor, self.sign = k, monitor, 1 if mode == "min" else -1
        self.values: dict[str, float] = {}  # by file name, without the ending

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        found = trainer.callback_metrics.get(self.monitor)
        value = math.nan if found is None else float(found)
        if math.isnan(value) or (
            len(self.values) >= self.k and not self._enters(value)
        ):
            return
        name = f"top_epoch_{trainer.current_epoch + 1:04d}"
        before = self.values
        ranked = sorted(
            {**before, name: value}.items(), key=lambda each: self._size(each)
        )
        self.values = dict(ranked[: self.k])
        file = self.write(trainer, name)
        if trainer.is_global_zero:
            for worse in before.keys() - self.values.keys():
                file.with_name(f"{worse}.ckpt").unlink(missing_ok=True)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"values": dict(self.values)}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.values = dict(state_dict["values"])

    def _enters(self, value: float) -> bool:
        return self.sign * value < max(
            self.sign * each for each in self.values.values()
        )

    def _size(self, named: tuple[str, float]) -> tuple[float, str]:
        return self.sign * named[1], named[0]
