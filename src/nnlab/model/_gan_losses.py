"""What the GAN's two players minimise.

- saturating and non_saturating: Goodfellow et al. (2014), section 3;
- least_squares: Mao et al. (2017), https://arxiv.org/abs/1611.04076;
- hinge: Miyato et al. (2018), https://arxiv.org/abs/1802.05957;
- wasserstein_gp: Gulrajani et al. (2017), https://arxiv.org/abs/1704.00028.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

Loss = Literal[
    "non_saturating", "saturating", "least_squares", "hinge", "wasserstein_gp"
]


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
