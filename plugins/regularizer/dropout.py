"""Dropout: units are left out at random, so that none relies on another.

Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov (2014), "Dropout: A Simple
Way to Prevent Neural Networks from Overfitting", JMLR 15, section 4.
https://jmlr.org/papers/v15/srivastava14a.html

    y~ = r * y / (1 - rate),  r ~ Bernoulli(1 - rate)    for what a layer is given

Stage: forward pass, while training. Put into any model by layer pattern: what is
dropped is the input of the layers named.

Departs from the paper: what is kept is scaled up in training, not weights down in the
test ("inverted dropout"). `whole_maps` drops whole channels (Tompson et al. 2015,
https://arxiv.org/abs/1411.4280).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor, nn

from nnlab.errors import UserError
from nnlab.limits import Share
from nnlab.regularizer import ForwardRegularizer, choose, named_layers
from nnlab.regularizer.parametrized import LAYERS


class Dropping:
    """A hook before a layer: drops of its input, and keeps the last mask to count."""

    def __init__(self, rate: float, *, whole_maps: bool) -> None:
        self.rate, self.whole_maps = rate, whole_maps
        self.kept: Tensor | None = None

    def __call__(self, layer: nn.Module, inputs: tuple[Any, ...]) -> Any:
        x = inputs[0]
        if not layer.training or not isinstance(x, Tensor) or not x.is_floating_point():
            return None
        shape = x.shape[:2] + (1,) * (x.ndim - 2) if self.whole_maps else x.shape
        self.kept = x.new_empty(shape).bernoulli_(1 - self.rate)
        return x * self.kept / (1 - self.rate), *inputs[1:]


class Dropout(ForwardRegularizer):
    """Drops inputs of layers; logs the share that the last step dropped.

    Args:
        rate: of what a layer is given, the share that is dropped.
        whole_maps: drop whole channels of images, not single pixels.
        include: patterns on the names of layers, `["f6", "blocks.*.output"]`; None: all
            linear and convolutional ones but the first, whose input are the data.
        exclude: patterns on the names of those that are given everything.
    """

    def __init__(
        self,
        *,
        rate: Share,
        whole_maps: bool,
        include: list[str] | None,
        exclude: list[str],
    ) -> None:
        super().__init__()
        self.rate, self.whole_maps = rate, whole_maps
        self.include, self.exclude = include, exclude
        self.hooks: list[Dropping] = []

    def put_in(self, model: LightningModule) -> Iterator[Callable[[], None]]:
        if self.include is None:
            layers = dict([*named_layers(model, LAYERS).items()][1:])
            if not layers:
                raise UserError(
                    f"{self.where} drops what a second layer is given, and the model "
                    f"has one; name it in {self.where}.include, or use input_noise"
                )
        else:
            layers = named_layers(model)
        names = choose(
            layers,
            include=["*"] if self.include is None else self.include,
            exclude=self.exclude,
            where=self.where,
            kind="layers",
        )
        self.hooks = []
        for name in names:
            hook = Dropping(self.rate, whole_maps=self.whole_maps)
            self.hooks.append(hook)
            yield layers[name].register_forward_pre_hook(hook).remove

    def numbers(self) -> Mapping[str, Tensor | float]:
        masks = [hook.kept for hook in self.hooks if hook.kept is not None]
        if not masks:
            return {}
        kept = torch.stack([mask.float().mean() for mask in masks]).mean()
        return {self.name: 1 - kept}
