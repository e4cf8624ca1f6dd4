"""GAN: a generator learns to draw what a discriminator cannot tell from real images.

Goodfellow et al. (2014), "Generative Adversarial Nets", https://arxiv.org/abs/1406.2661
(variant mlp), and Radford, Metz & Chintala (2016), "Unsupervised Representation
Learning with Deep Convolutional GANs", https://arxiv.org/abs/1511.06434 (dcgan).

Losses: saturating and non_saturating (2014, section 3), least_squares (Mao et al. 2017,
https://arxiv.org/abs/1611.04076), hinge (Miyato et al. 2018,
https://arxiv.org/abs/1802.05957), wasserstein_gp (Gulrajani et al. 2017,
https://arxiv.org/abs/1704.00028).

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
from collections.abc import Generator
from contextlib import contextmanager
from itertools import chain
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

import torch
from jaxtyping import Float, Int
from lightning import Callback
from lightning.pytorch.callbacks import StochasticWeightAveraging, WeightAveraging
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm
from typing_extensions import override

from nnlab.errors import UserError
from nnlab.judge.judge_samples import JudgeSamples
from nnlab.learner import Learner
from nnlab.limits import Count, NonNegative, Share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Loss = Literal[
    "non_saturating", "saturating", "least_squares", "hinge", "wasserstein_gp"
]
Norm = Literal["none", "batch", "spectral"]
SHOWN = 64  # samples in the picture
DRAWN = 500  # images drawn at a time: what memory allows anywhere


class Maxout(nn.Module):
    """Units that are the largest of five linear ones (Goodfellow et al. 2013)."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.pieces = nn.Linear(inputs, 5 * units)

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch units"]:
        return self.pieces(x).unflatten(1, (-1, 5)).amax(dim=2)


def normed(network: nn.Sequential, norm: Norm) -> nn.Sequential:
    """Return it, each layer's largest singular value held at 1 for `spectral`."""
    if norm == "spectral":
        for layer in [*network.modules()]:
            if isinstance(layer, nn.Linear | nn.Conv2d):
                spectral_norm(layer)
    return network


def mlp_generator(code_size: int, height: int, width: int) -> nn.Sequential:
    """Return the generator of 2014: two hidden layers of 1,200 units."""
    return nn.Sequential(
        nn.Linear(code_size, 1200),
        nn.ReLU(),
        nn.Linear(1200, 1200),
        nn.ReLU(),
        nn.Linear(1200, height * width),
        nn.Sigmoid(),
        nn.Unflatten(1, (1, height, width)),
    )


def mlp_discriminator(
    height: int, width: int, *, dropout: float, norm: Norm
) -> nn.Sequential:
    """Return the discriminator of 2014: two maxout layers of 240 units."""
    network = nn.Sequential(
        nn.Flatten(),
        Maxout(height * width, 240),
        nn.Dropout(dropout),
        Maxout(240, 240),
        nn.Dropout(dropout),
        nn.Linear(240, 1),
    )
    return normed(network, norm)


def draw_as_dcgan(layer: nn.Module) -> None:
    """Draw weights from a normal distribution of deviation 0.02 (section 4)."""
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, std=0.02)


def dcgan_generator(
    code_size: int, height: int, width: int, *, maps: int
) -> nn.Sequential:
    """Return a generator that doubles a quarter-sized image twice."""
    small = (2 * maps, height // 4, width // 4)
    return nn.Sequential(
        nn.Linear(code_size, small[0] * small[1] * small[2], bias=False),
        nn.Unflatten(1, small),
        nn.BatchNorm2d(2 * maps),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * maps, maps, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(maps),
        nn.ReLU(),
        nn.ConvTranspose2d(maps, 1, 4, stride=2, padding=1),
        nn.Sigmoid(),
    ).apply(draw_as_dcgan)


def dcgan_discriminator(
    height: int, width: int, *, maps: int, norm: Norm
) -> nn.Sequential:
    """Return a discriminator that halves the image twice."""
    has_batch_norm = norm == "batch"
    network = nn.Sequential(
        nn.Conv2d(1, maps, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(maps, 2 * maps, 4, stride=2, padding=1, bias=not has_batch_norm),
        nn.BatchNorm2d(2 * maps) if has_batch_norm else nn.Identity(),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(2 * maps * (height // 4) * (width // 4), 1),
    ).apply(draw_as_dcgan)
    return normed(network, norm)


def discriminator_loss(
    loss: Loss, real: Float[Tensor, " batch"], fake: Float[Tensor, " batch"]
) -> Float[Tensor, ""]:
    """Return what the discriminator minimises, of its scores (logits)."""
    match loss:
        case "non_saturating" | "saturating":  # -log D(x) - log(1 - D(G(z)))
            return F.softplus(-real).mean() + F.softplus(fake).mean()
        case "least_squares":
            return ((real - 1).square().mean() + fake.square().mean()) / 2
        case "hinge":
            return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        case "wasserstein_gp":
            return fake.mean() - real.mean()


def generator_loss(loss: Loss, fake: Float[Tensor, " batch"]) -> Float[Tensor, ""]:
    """Return what the generator minimises, of the discriminator's scores."""
    match loss:
        case "non_saturating":  # -log D(G(z)): steep where the fakes are seen through
            return F.softplus(-fake).mean()
        case "saturating":  # log(1 - D(G(z)))
            return -F.softplus(fake).mean()
        case "least_squares":
            return (fake - 1).square().mean() / 2
        case "hinge" | "wasserstein_gp":
            return -fake.mean()


def gradient_penalty(
    discriminator: nn.Module,
    real: Float[Tensor, "batch 1 height width"],
    fake: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, ""]:
    """Return the mean of (|gradient| - 1)^2 at points between real and fake images."""
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    between = torch.lerp(real, fake.to(real.dtype), share).requires_grad_()
    scores = discriminator(between)
    (slope,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


@contextmanager
def held_still(network: nn.Module) -> Generator[None]:
    """Let gradients pass through the network to its input, and leave none in it."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


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
        parts = torch.stack(codes).to(self.device).split(DRAWN)
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

    def illustrate(self, batch: tuple[Tensor, Tensor]) -> "dict[str, Figure]":
        """Draw the same codes each time: digits grow out of noise."""
        from nnlab.picture.image_grid import image_grid

        return {"samples": image_grid(self.sample(SHOWN, seed=0).squeeze(1))}

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
