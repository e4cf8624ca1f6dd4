"""Jacobian regularization: a small change of the input changes the scores little.

Hoffman, Roberts & Yaida (2019), "Robust Learning with Jacobian Regularization",
https://arxiv.org/abs/1908.02729, equation 5 and algorithm 1.

    L' = L + weight / 2 * mean |J|^2,  |J|^2 ~ C / n * sum |d(v . z) / dx|^2

J is the derivative of the C scores z by the input x, v one of n random unit vectors.
Stage: the loss, while training.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from nnlab.errors import UserError
from nnlab.limits import Count, NonNegative
from nnlab.regularizer import LossRegularizer, Measure, with_gradient_of

from .slope import NOT_COMPILED, differentiable, slope_by_input


class Jacobian(LossRegularizer):
    """Adds the squared length of the scores' derivative by the input; logs it.

    Args:
        projections: n, how many random directions of the scores are looked along.
    """

    not_with: ClassVar[Mapping[str, str]] = NOT_COMPILED

    def __init__(self, *, weight: NonNegative, projections: Count) -> None:
        super().__init__()
        self.weight, self.projections = weight, projections
        self.term: Tensor | None = None

    def around(self, measure: Measure, batch: Any) -> dict[str, Tensor]:
        answers: list[Any] = []
        batch = differentiable(batch, where=self.where)

        def keep(_: Any, __: Any, answer: Any) -> None:
            answers.append(answer)

        handle = self.learner.register_forward_hook(keep)
        try:
            scalars = measure(batch)
        finally:
            handle.remove()
        lengths = [self.squared_length(answer, batch[0]) for answer in answers]
        found = [length for length in lengths if length is not None]
        if not found:
            raise UserError(
                f"{self.where} needs scores that a model's forward computes of its "
                f"input, and {type(self.learner).__name__} learns without them"
            )
        term = self.weight / 2 * torch.stack(found).sum()
        self.term = term.detach()
        loss = scalars["loss"]
        return {**scalars, "loss": with_gradient_of(loss, loss + term)}

    def squared_length(self, scores: Any, x: Tensor) -> Tensor | None:
        """Return an estimate of the mean |J|^2; None where scores are not of x."""
        if not isinstance(scores, Tensor):
            return None
        scores = scores.reshape(len(scores), -1)  # (batch, C)
        seed = self.batch_seed(self.learner.trainer, self.learner)
        generator = torch.Generator(scores.device).manual_seed(seed)
        total = x.new_zeros(())
        for _ in range(self.projections):
            direction = torch.empty_like(scores).normal_(generator=generator)
            direction = direction / direction.norm(dim=1, keepdim=True)
            slope = slope_by_input((direction * scores).sum(), x, self.loss_scale)
            if slope is None:
                return None
            total = total + slope.square().sum() / len(x)
        return scores.shape[1] * total / self.projections

    def numbers(self) -> Mapping[str, Tensor | float]:
        return {} if self.term is None else {self.name: self.term}
