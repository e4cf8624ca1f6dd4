"""SAM, sharpness-aware minimisation: go down from where it is worst nearby.

Foret, Kleiner, Mobahi & Neyshabur (2021), "Sharpness-Aware Minimization for Efficiently
Improving Generalization", https://arxiv.org/abs/2010.01412, algorithm 1.

    e = radius * g / |g|,  g = dL/dw at w;  the step is taken by dL/dw at w + e, from w

`adaptive`: e = radius * w^2 g / |w g|, which does not depend on the scale of weights
(Kwon, Kim, Park & Choi 2021, "ASAM", https://arxiv.org/abs/2102.11600, equation 8).

Stage: around the whole step. It wraps whatever optimizer was chosen, the paper's base
optimizer, which is given SAM's gradient and finds the weights where they were; gradient
regularizers and clipping see that gradient once. Both passes drop the same units, and
running statistics (batch norm) are those of the first. A rank climbs by its own part of
the batch, as in section 4.1. A step takes twice the time.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from lightning import LightningModule, Trainer
from torch import Tensor, nn
from typing_extensions import override

from nnlab.limits import Positive
from nnlab.regularizer import LossRegularizer, Measure, with_gradient_of


class Sam(LossRegularizer):
    """Takes the gradient uphill; logs how much higher the loss is there: sharpness."""

    shell: ClassVar[int] = 3
    not_with: ClassVar[Mapping[str, str]] = {
        "accumulation": "it climbs by the gradient of a whole step, and this gives it "
        "parts; use 1 and a larger data.batch_size",
        "scaled gradients": "it takes two gradients a step, and fp16 scales and checks "
        "one; try precision=bf16",
        "sharded": "it moves whole weights, and this shards them; try strategy=ddp",
        "two players": "uphill for one of them is downhill for the other",
    }

    def __init__(self, *, radius: Positive, adaptive: bool) -> None:
        super().__init__()
        self.radius, self.adaptive = radius, adaptive
        self.sharpness: Tensor | None = None
        self._before: list[tuple[Tensor, Tensor]] = []

    def around(self, measure: Measure, batch: Any) -> dict[str, Tensor]:
        weights = [w for w in self.learner.parameters() if w.requires_grad]
        with torch.random.fork_rng(self._devices()):
            scalars = measure(batch)
        buffers = [(buffer, buffer.clone()) for buffer in self.learner.buffers()]
        slopes = torch.autograd.grad(scalars["loss"], weights, materialize_grads=True)
        self._climb([*zip(weights, slopes, strict=True)])
        self._before += buffers
        uphill = measure(batch)["loss"]
        loss = scalars["loss"].detach()
        self.sharpness = uphill.detach() - loss
        found = {name: value.detach() for name, value in scalars.items()}
        return {**found, "loss": with_gradient_of(loss, uphill)}

    @override
    @torch.no_grad()
    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Not sooner: the backward pass still needs what it went uphill with.
        for tensor, before in self._before:
            tensor.copy_(before)
        self._before = []

    def numbers(self) -> Mapping[str, Tensor | float]:
        return {} if self.sharpness is None else {self.name: self.sharpness}

    @torch.no_grad()
    def _climb(self, slopes: list[tuple[nn.Parameter, Tensor]]) -> None:
        scaled = [weight.abs() * g if self.adaptive else g for weight, g in slopes]
        length = torch.stack([g.norm() for g in scaled]).norm()
        self._before = [(weight, weight.clone()) for weight, _ in slopes]
        for (weight, _), direction in zip(slopes, scaled, strict=True):
            if self.adaptive:
                direction = weight.abs() * direction
            weight.add_(direction * (self.radius / (length + 1e-12)))

    def _devices(self) -> list[Any]:
        """The GPU whose random numbers are kept besides the CPU's."""
        device = self.learner.device
        return [device] if device.type == "cuda" else []
