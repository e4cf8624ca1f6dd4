"""Stochastic depth: residual branches are skipped at random, the later the more often.

Huang, Sun, Liu, Sedra & Weinberger (2016), "Deep Networks with Stochastic Depth",
https://arxiv.org/abs/1603.09382, section 3, equations 2 and 4.

    x <- x + b_l f_l(x) / p_l,  b_l ~ Bernoulli(p_l),  p_l = 1 - l / L * rate

for the branches l = 1 ... L, in the order of the model.
Stage: forward pass, while training; the hook is on the branch f_l.

Departs from the paper: what is kept is scaled up in training, not down in the test;
each example of a batch has its own b_l.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor, nn

from nnlab.errors import UserError
from nnlab.limits import Share
from nnlab.regularizer import ForwardRegularizer, choose, named_layers


class Skipping:
    """A hook after a branch: sets it to 0 for some examples, and keeps which."""

    def __init__(self, rate: float, where: str) -> None:
        self.rate, self.where = rate, where
        self.kept: Tensor | None = None

    def __call__(self, branch: nn.Module, inputs: Any, output: Any) -> Any:
        if not branch.training:
            return None
        if not isinstance(output, Tensor):
            raise UserError(f"{self.where}.include names a layer that is no branch")
        shape = output.shape[:1] + (1,) * (output.ndim - 1)
        self.kept = output.new_empty(shape).bernoulli_(1 - self.rate)
        return output * self.kept / (1 - self.rate)


class StochasticDepth(ForwardRegularizer):
    """Skips branches; logs the share of (example, branch) that the last step skipped.

    Args:
        rate: of the last branch; those before it are skipped less.
        include: patterns on the names of layers whose output is added to a stream:
            `["blocks.*.attention"]`. Any other layer would be silenced, not skipped.
    """

    def __init__(self, *, rate: Share, include: list[str], exclude: list[str]) -> None:
        super().__init__()
        self.rate = rate
        self.include, self.exclude = include, exclude
        self.hooks: list[Skipping] = []

    def put_in(self, model: LightningModule) -> Iterator[Callable[[], None]]:
        layers = named_layers(model)
        names = choose(
            layers,
            include=self.include,
            exclude=self.exclude,
            where=self.where,
            kind="layers",
        )
        self.hooks = []
        for place, name in enumerate(names, start=1):
            hook = Skipping(place / len(names) * self.rate, self.where)
            self.hooks.append(hook)
            yield layers[name].register_forward_hook(hook).remove

    def numbers(self) -> Mapping[str, Tensor | float]:
        masks = [hook.kept for hook in self.hooks if hook.kept is not None]
        if not masks:
            return {}
        kept = torch.stack([mask.float().mean() for mask in masks]).mean()
        return {self.name: 1 - kept}
