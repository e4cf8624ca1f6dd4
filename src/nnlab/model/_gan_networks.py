"""The GAN's two players: MLPs as in 2014, and DCGANs for images of 28x28 or the like.

Goodfellow et al. (2014), "Generative Adversarial Nets", https://arxiv.org/abs/1406.2661;
Radford, Metz & Chintala (2016), "Unsupervised Representation Learning with Deep
Convolutional GANs", https://arxiv.org/abs/1511.06434.
"""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

Norm = Literal["none", "batch", "spectral"]


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
