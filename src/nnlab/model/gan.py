"""GAN: a generator learns to draw what a discriminator cannot tell from real images.

Goodfellow et al. (2014), "Generative Adversarial Nets", https://arxiv.org/abs/1406.2661
(variant mlp), and Radford, Metz & Chintala (2016), "Unsupervised Representation
Learning with Deep Convolutional GANs", https://arxiv.org/abs/1511.06434 (dcgan).

The players are in `_gan_networks.py`, what each minimises in `_gan_losses.py`; this
file is the game.

One step moves both players, each down its own loss's gradient at where both stand: the
alternating algorithm with the generator first and each batch's fakes drawn once. So it
is one step of one optimizer, and clipping, accumulation, precision, schedules and the
count of steps are those of any model.

Departs from the papers: that order (2014 moves the discriminator first); images are
28x28 or the like, so dcgan doubles twice and is narrower; pixels are in [0, 1], so that
dcgan ends in a sigmoid of what the paper's tanh takes; samples are drawn from a moving
average of the generator's weights (Karras et al. 2018, https://arxiv.org/abs/1710.10196),
in evaluation mode: an image does not depend on those that are drawn with it.
"""

import copy
import math
from collections.abc import Mapping
from itertools import chain
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from jaxtyping import Float, Int
from lightning import Callback
from lightning.pytorch.callbacks import StochasticWeightAveraging, WeightAveraging
from torch import Tensor
from typing_extensions import override

from nnlab.answer import Answer
from nnlab.effect import OnlyWith
from nnlab.errors import UserError
from nnlab.judge.judge_samples import JudgeSamples
from nnlab.learner import Learner
from nnlab.limits import Count, NonNegative, Share
from nnlab.model._gan_losses import (
    Loss,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    held_still,
)
from nnlab.model._gan_networks import (
    Norm,
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
    mlp_generator,
)
from nnlab.numerals import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 64  # samples in the picture
DRAWN = 500  # images drawn at a time: what memory allows anywhere


def check_choices(
    variant: str, loss: Loss, height: int, width: int, norm: Norm | None
) -> None:
    """Raise `ValueError` where two choices do not go together."""
    if variant == "dcgan" and (height % 4 or width % 4):
        raise ValueError(
            f"model.variant=dcgan doubles an image twice, to multiples of 4, and the "
            f"data's are {height}x{width}; try model.variant=mlp"
        )
    if norm == "batch" and (variant == "mlp" or loss == "wasserstein_gp"):
        other = "variant=mlp" if variant == "mlp" else f"loss={loss}"
        raise ValueError(
            f"model.discriminator_norm=batch does not go with model.{other}; "
            "try none or spectral"
        )


class GAN(Learner):
    """Draws grey images of pixels in [0, 1] from codes of normal random numbers.

    A loss's step is `discriminator_loss + generator_loss`: their gradients do not mix.
    """

    brings: ClassVar[frozenset[str]] = frozenset({"two players"})
    not_with: ClassVar[Mapping[str, str]] = {
        "compiled": "its players take turns, so that every step would be compiled anew",
    }
    only_with: ClassVar[OnlyWith] = {
        "feature_maps": ("variant", ("dcgan",)),
        "dropout": ("variant", ("mlp",)),
        "penalty_weight": ("loss", ("wasserstein_gp",)),
    }

    def __init__(
        self,
        *,
        variant: Literal["dcgan", "mlp"],
        loss: Loss,
        height: Count,
        width: Count,
        code_size: Count,
        feature_maps: Count,
        discriminator_norm: Norm | None,
        discriminator_steps: Count,
        dropout: Share,
        penalty_weight: NonNegative,
        average_decay: Share,
        judged: Count,
        judged_in_training: Count,
    ) -> None:
        super().__init__()
        check_choices(variant, loss, height, width, discriminator_norm)
        fits_batch_norm = variant == "dcgan" and loss != "wasserstein_gp"
        norm = discriminator_norm or ("batch" if fits_batch_norm else "none")
        self.loss: Loss = loss
        self.image_size, self.code_size = (height, width), code_size
        self.discriminator_steps = discriminator_steps
        self.penalty_weight, self.average_decay = penalty_weight, average_decay
        if variant == "mlp":
            self.generator = mlp_generator(code_size, height, width)
            self.discriminator = mlp_discriminator(
                height, width, dropout=dropout, norm=norm
            )
        else:
            self.generator = dcgan_generator(
                code_size, height, width, maps=feature_maps
            )
            self.discriminator = dcgan_discriminator(
                height, width, maps=feature_maps, norm=norm
            )
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        self.judging = JudgeSamples(in_training=judged_in_training, at_the_end=judged)

    def forward(
        self, image: Float[Tensor, "batch 1 height width"]
    ) -> Float[Tensor, " batch"]:
        """Return the discriminator's scores, in logits: above 0 is judged real."""
        return self.discriminator(2 * image - 1).squeeze(1)

    @torch.no_grad()
    def sample(self, count: int, seed: int) -> Float[Tensor, "count 1 height width"]:
        """Return images drawn by the averaged generator; the same for the same seed."""
        random = torch.Generator().manual_seed(seed)
        # One by one: an image does not depend on how many are drawn with it.
        codes = [torch.randn(self.code_size, generator=random) for _ in range(count)]
        self.averaged.eval()
        weight = next(self.averaged.parameters())  # float64 under precision=fp64
        parts = torch.stack(codes).to(weight).split(DRAWN)
        return torch.cat([self.averaged(part).float() for part in parts])

    def measure(
        self, batch: tuple[Float[Tensor, "batch 1 height width"], Int[Tensor, " batch"]]
    ) -> dict[str, Float[Tensor, ""]]:
        """Return both players' losses, and their sum, whose gradients do not mix."""
        real, _ = batch
        self._check_size(real)
        is_learning = torch.is_grad_enabled()
        is_generators_turn = is_learning and self._is_generators_turn
        code = torch.randn(len(real), self.code_size, device=real.device)
        with torch.set_grad_enabled(is_generators_turn):
            fake = self.generator(code)
        scores = self(fake.detach())
        against = discriminator_loss(self.loss, self(real), scores)
        if self.loss == "wasserstein_gp" and is_learning:
            penalty = gradient_penalty(self, real, fake.detach())
            against = against + self.penalty_weight * penalty
        scores = scores.detach()
        if is_generators_turn:
            with held_still(self.discriminator):
                scores = self(fake)
        pro = generator_loss(self.loss, scores)
        return {
            "loss": against + pro,
            "discriminator_loss": against,
            "generator_loss": pro,
        }

    @torch.no_grad()
    def predict(self, batch: tuple[Tensor, Tensor]) -> list[Answer]:
        """Return whether the discriminator takes each image for a real one."""
        self._check_size(batch[0])
        return [self._verdict(score) for score in self(batch[0]).tolist()]

    def _verdict(self, score: float) -> Answer:
        if self.loss == "wasserstein_gp":  # its scores have no zero
            said = f"score {score:.4g}: the higher of two images is the more real"
            return Answer(said, {"score": score})
        border = 0.5 if self.loss == "least_squares" else 0.0
        values: dict[str, Any] = {"real": score > border, "score": score}
        verdict = "real" if score > border else "drawn by the generator"
        if "saturating" not in self.loss:
            said = f"{verdict} (score {score:.4g}, the border is {border:g})"
            return Answer(said, values)
        share = (1 + math.tanh(score / 2)) / 2  # the sigmoid, of any score
        said = f"{verdict} ({percent(share)} real)"
        return Answer(said, {**values, "probability": share})

    def illustrate(self, batch: tuple[Tensor, Tensor]) -> "dict[str, Figure]":
        """Draw the same codes each time: digits grow out of noise."""
        from nnlab.picture.image_grid import image_grid

        return {
            "samples": image_grid(
                self.sample(SHOWN, seed=0).squeeze(1),
                title="made by the generator, of the same codes each time",
            )
        }

    def remark(self, batch: tuple[Tensor, Tensor]) -> str | None:
        """Say how near to real images the samples came, on a scale of known points."""
        return self.judging.remark()

    @override
    def configure_callbacks(self) -> list[Callback]:
        for callback in self.trainer.callbacks:  # pyright: ignore
            if isinstance(callback, StochasticWeightAveraging | WeightAveraging):
                raise UserError(
                    f"model=gan takes no {type(callback).__name__}, which would "
                    "average the discriminator too; the generator's average is "
                    f"model.average_decay={self.average_decay}"
                )
        return [self.judging]

    @override
    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        has_learned = self._is_generators_turn
        super().optimizer_step(*args, **kwargs)
        if has_learned:
            self._average()

    @override
    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        # Each player's gradient by its own length: neither slows the other down.
        for player in (self.generator, self.discriminator):
            own: Any = SimpleNamespace(
                param_groups=[{"params": [*player.parameters()]}]
            )
            self.clip_gradients(own, gradient_clip_val, gradient_clip_algorithm)

    @override
    def on_test_batch_start(
        self, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        self._reseed(-2, batch_idx)

    @property
    def _is_generators_turn(self) -> bool:
        return (self.global_step + 1) % self.discriminator_steps == 0

    @torch.no_grad()
    def _average(self) -> None:
        # A young average forgets fast: else it would long remember the first weights.
        step = self.global_step // self.discriminator_steps
        decay = min(self.average_decay, (1 + step) / (10 + step))
        averages = chain(self.averaged.parameters(), self.averaged.buffers())
        weights = chain(self.generator.parameters(), self.generator.buffers())
        for average, weight in zip(averages, weights, strict=True):
            if weight.is_floating_point():
                average.lerp_(weight, 1 - decay)
            else:  # the number of batches that batch norm has seen
                average.copy_(weight)

    def _check_size(self, image: Tensor) -> None:
        if image.shape[2:] != self.image_size:
            height, width = self.image_size
            raise UserError(
                f"model.height={height} and model.width={width} make the generator "
                f"draw other images than the data's, of {image.shape[2]}x"
                f"{image.shape[3]}; leave both to the data"
            )
