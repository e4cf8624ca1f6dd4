"""Sees every cross-entropy that a model computes, softmax's and sigmoid's."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.regularizer import LossRegularizer, Measure, with_gradient_of

Arguments = dict[str, Any]  # of F.cross_entropy, or F.binary_cross_entropy_with_logits

FUNCTIONS: tuple[Callable[..., Tensor], ...] = (
    F.cross_entropy,
    F.binary_cross_entropy_with_logits,
)
SIGNATURES = {function: inspect.signature(function) for function in FUNCTIONS}


class CrossEntropyRegularizer(LossRegularizer):
    """Lets each cross-entropy keep its value and descend another's gradient.

    It logs the mean difference of the two. A model that computes none is refused.
    """

    shell: ClassVar[int] = 2

    def __init__(self) -> None:
        super().__init__()
        self.differences: list[Tensor] = []

    def minimised(
        self, plain: Tensor, function: Callable[..., Tensor], given: Arguments
    ) -> Tensor:
        """Return what is minimised in place of a cross-entropy, in its shape."""
        raise NotImplementedError

    def around(self, measure: Measure, batch: Any) -> dict[str, Tensor]:
        self.differences = []
        with _Seeing(self):
            scalars = measure(batch)
        if not self.differences:
            raise UserError(
                f"{self.where} changes a cross-entropy, and "
                f"{type(self.learner).__name__} computes none in its loss"
            )
        return scalars

    def see(
        self, function: Callable[..., Tensor], args: tuple[Any, ...], kwargs: Arguments
    ) -> Tensor:
        """Compute a cross-entropy, with the other's gradient."""
        plain = function(*args, **kwargs)
        given = SIGNATURES[function].bind(*args, **kwargs)
        given.apply_defaults()
        other = self.minimised(plain, function, given.arguments)
        self.differences.append((other - plain).detach().mean())
        return with_gradient_of(plain, other)

    def numbers(self) -> Mapping[str, Tensor | float]:
        if not self.differences:
            return {}
        return {self.name: torch.stack(self.differences).float().mean()}


class _Seeing(TorchFunctionMode):
    def __init__(self, regularizer: CrossEntropyRegularizer) -> None:
        super().__init__()
        self.regularizer = regularizer

    @override
    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func in SIGNATURES:
            return self.regularizer.see(func, args, kwargs or {})
        return func(*args, **(kwargs or {}))
