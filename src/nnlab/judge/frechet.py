"""The Fréchet distance: how far apart two sets lie, by their means and covariances.

Heusel et al. (2017), "GANs Trained by a Two Time-Scale Update Rule Converge to a Local
Nash Equilibrium", equation 6. https://arxiv.org/abs/1706.08500
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


class Moments:
    """Mean and covariance of features that come in batches, in double precision."""

    def __init__(self, features: int) -> None:
        self.count = torch.zeros((), dtype=torch.float64)
        self.total = torch.zeros(features, dtype=torch.float64)
        self.products = torch.zeros(features, features, dtype=torch.float64)

    def add(self, features: Float[Tensor, "batch features"]) -> None:
        """Add a batch; its sums are taken on the CPU, where there are doubles."""
        x = features.cpu().double()
        self.count = self.count + len(x)
        self.total = self.total + x.sum(dim=0)
        self.products = self.products + x.T @ x

    def summed(self, over_ranks: Callable[[Tensor], Tensor]) -> "Moments":
        """Return the moments of what all processes have added."""
        together = Moments(len(self.total))
        together.count = over_ranks(self.count)
        together.total = over_ranks(self.total)
        together.products = over_ranks(self.products)
        return together

    @property
    def mean(self) -> Float[Tensor, " features"]:
        return self.total / self.count

    @property
    def covariance(self) -> Float[Tensor, "features features"]:
        return self.products / self.count - self.mean.outer(self.mean)


def frechet_distance(one: Moments, other: Moments) -> float:
    """Return |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), of normal distributions.

    C1 C2 has the eigenvalues of the symmetric C1^(1/2) C2 C1^(1/2), which are found
    without complex numbers; rounding may bring those that are 0 below it.
    """
    values, directions = torch.linalg.eigh(one.covariance)
    root = directions * values.clamp(min=0).sqrt() @ directions.T
    common = torch.linalg.eigvalsh(root @ other.covariance @ root)
    distance = (one.mean - other.mean).square().sum()
    spread = one.covariance.trace() + other.covariance.trace()
    return max(0.0, float(distance + spread - 2 * common.clamp(min=0).sqrt().sum()))
