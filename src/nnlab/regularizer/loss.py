"""LossRegularizer: stands around a model's `measure` while it trains."""

from collections.abc import Callable
from typing import Any, ClassVar

from lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.learner import Learner
from nnlab.regularizer.regularizer import Regularizer

Measure = Callable[[Any], dict[str, Tensor]]


class LossRegularizer(Regularizer):
    """Changes the batch before a training step measures it, or what it minimises.

    Several stand around each other, the least `shell` innermost: what mixes examples
    (0) next to the model, then what changes a batch (1), what changes the loss (2), and
    what takes the whole step in its hands (3).

    Attributes:
        learner: the model that is trained; while it is trained.
    """

    shell: ClassVar[int] = 2
    learner: Learner

    def around(self, measure: Measure, batch: Any) -> dict[str, Tensor]:
        """Return what `measure` gives, of this batch or another.

        Its values are logged as the task's. What is to be minimised besides goes into
        the gradient of `loss` alone: `with_gradient_of`.
        """
        raise NotImplementedError

    @property
    def loss_scale(self) -> float:
        """What fp16 multiplies the loss by, so that small gradients are not lost; 1."""
        scaler = getattr(self.learner.trainer.precision_plugin, "scaler", None)
        return 1.0 if scaler is None else float(scaler.get_scale())

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage != "fit":
            return
        if not isinstance(pl_module, Learner) or (
            type(pl_module).training_step is not Learner.training_step
        ):
            raise UserError(
                f"{self.where} stands around a Learner's measure, and "
                f"{type(pl_module).__name__} has a training_step of its own"
            )
        self.learner = pl_module
        pl_module.around.append(self.around)
        pl_module.around.sort(key=_shell)

    @override
    def teardown(
        self, trainer: Trainer, pl_module: LightningModule, stage: str
    ) -> None:
        self._take_out()

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._take_out()

    def _take_out(self) -> None:
        learner = self.__dict__.pop("learner", None)
        if learner is not None and self.around in learner.around:
            learner.around.remove(self.around)


def with_gradient_of(value: Tensor, minimised: Tensor) -> Tensor:
    """Return the one's value with the other's gradient: logged as is, minimised anew.

    Exact to the bit; where `minimised` is not finite, neither is what comes out.
    """
    return value.detach() + (minimised - minimised.detach())


def _shell(around: Callable[..., Any]) -> int:
    return getattr(around, "__self__").shell  # noqa: B009  # a method of ours
