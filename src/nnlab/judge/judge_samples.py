"""JudgeSamples: a model's samples judged after every epoch, and at the end."""

from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.judge.classifier import Judge, judge_for
from nnlab.judge.comparison import Comparison

BATCH_SIZE = 500  # samples looked at in one go


class JudgeSamples(Callback):
    """Logs `val/fid`, `test/fid` and what else a `Comparison` says.

    A model that has `sample(count, seed)`, a Learner, returns it from
    `configure_callbacks`. Samples are compared with the images
    of the stage, which must be the first of each batch, of pixels in [0, 1].

    Args:
        in_training: how many samples are drawn after each epoch.
        at_the_end: how many in the test.
    """

    def __init__(self, *, in_training: int, at_the_end: int) -> None:
        self.counts = {"val": in_training, "test": at_the_end}
        self.judge: Judge | None = None
        self.comparison: Comparison | None = None

    def remark(self) -> str | None:
        """Return a sentence on the last test, where there was one."""
        if self.comparison is None or not self.comparison.has_scale:
            return None
        return self.comparison.sentence()

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "predict":  # nothing is judged
            return
        data: Any = getattr(trainer, "datamodule")  # noqa: B009  # untyped there
        # One batch that tries the pairing asks only for the names of what is measured.
        is_trial = bool(trainer.fast_dev_run)  # pyright: ignore
        self.judge = judge_for(data.splits, is_trial=is_trial)

    @override
    def on_validation_epoch_start(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> None:
        self._begin(has_scale=False)

    @override
    def on_test_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begin(has_scale=True)

    @override
    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self._look(batch[0])

    on_test_batch_end = on_validation_batch_end  # pyright: ignore

    @override
    def on_validation_epoch_end(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> None:
        self._log(pl_module, "val")

    @override
    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._log(pl_module, "test")

    def _begin(self, *, has_scale: bool) -> None:
        assert self.judge is not None
        self.comparison = Comparison(self.judge, has_scale=has_scale)

    def _look(self, image: Tensor) -> None:
        assert self.comparison is not None
        if image.min() < 0 or image.max() > 1:
            raise UserError(
                "the model draws pixels in [0, 1], and those of the data lie in "
                f"[{float(image.min()):.2g}, {float(image.max()):.2g}]; "
                "give data.mean=0.0 data.standard_deviation=1.0"
            )
        self.comparison.look(image.float())

    def _log(self, model: Any, stage: str) -> None:
        assert self.comparison is not None
        samples = model.sample(self.counts[stage], seed=model.seed).split(BATCH_SIZE)
        numbers = self.comparison.of(samples, model._sum_over_ranks)
        named = {f"{stage}/{name}": value for name, value in numbers.items()}
        model.log_dict(named, logger=False)
