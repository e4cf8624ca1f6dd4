"""What mixup and CutMix share: two losses of one forward pass."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import torch
from lightning import LightningModule, Trainer
from torch import Tensor
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.limits import Positive
from nnlab.regularizer import LossRegularizer, Measure


class Mixing(LossRegularizer):
    """Shows mixtures of two examples, and asks for both labels in proportion.

    The loss is `own * L(x~, y) + (1 - own) * L(x~, y of the other)`, as in the papers'
    own code, and so is every other metric of the training batch. The model is run once.

    Args:
        alpha: shares are drawn from Beta(alpha, alpha); 1: all alike, 0.2: mostly near
            0 or 1.
    """

    shell: ClassVar[int] = 0

    def __init__(self, *, alpha: Positive) -> None:
        super().__init__()
        self.alpha = alpha
        self.own: float | None = None

    def mixed(
        self, x: Tensor, other: Tensor, share: float, random: np.random.Generator
    ) -> tuple[Tensor, float]:
        """Return the mixture, and how much of it is the example's own."""
        raise NotImplementedError

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        super().setup(trainer, pl_module, stage)
        callbacks: list[Any] = trainer.callbacks  # pyright: ignore
        names = [each.name for each in callbacks if isinstance(each, Mixing)]
        if len(names) > 1:
            raise UserError(
                f"regularizer=[{','.join(names)}] mixes each example twice; keep one"
            )

    def around(self, measure: Measure, batch: Any) -> dict[str, Tensor]:
        x, label = self._pair(batch)
        seed = self.batch_seed(self.learner.trainer, self.learner)
        random = np.random.default_rng(seed)
        order = torch.from_numpy(random.permutation(len(x))).to(x.device)
        share = float(random.beta(self.alpha, self.alpha))
        x, self.own = self.mixed(x, x[order], share, random)
        with one_forward(self.learner) as passes:
            first, second = measure((x, label)), measure((x, label[order]))
        if len(passes) != 1:
            raise UserError(
                f"{self.where} mixes what one forward pass is given, and "
                f"{type(self.learner).__name__}'s measure makes {len(passes)} of it"
            )
        own = self.own
        return {key: own * first[key] + (1 - own) * second[key] for key in first}

    def numbers(self) -> Mapping[str, Tensor | float]:
        return {} if self.own is None else {self.name: self.own}

    def _pair(self, batch: Any) -> tuple[Tensor, Tensor]:
        is_pair = isinstance(batch, tuple | list) and len(batch) == 2
        if not is_pair or not batch[0].is_floating_point():
            raise UserError(
                f"{self.where} mixes inputs that are real numbers, each with a label; "
                f"{type(self.learner).__name__} learns from batches of another kind"
            )
        return batch[0], batch[1]


@contextmanager
def one_forward(model: LightningModule) -> Generator[list[Any]]:
    """Let the model answer again what it has answered; collect what it computed."""
    forward, is_own = model.forward, "forward" in vars(model)
    passes: list[Any] = []
    known: list[tuple[Any, Any]] = []

    def remembering(x: Any, *rest: Any, **others: Any) -> Any:
        for seen, answer in known:
            if seen is x:
                return answer
        answer = forward(x, *rest, **others)
        passes.append(answer)
        known.append((x, answer))
        return answer

    vars(model)["forward"] = remembering
    try:
        yield passes
    finally:
        if is_own:
            vars(model)["forward"] = forward
        else:
            del vars(model)["forward"]
