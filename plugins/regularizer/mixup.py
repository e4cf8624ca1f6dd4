"""Mixup: between two examples the network shall go from one answer to the other.

Zhang, Cisse, Dauphin & Lopez-Paz (2018), "mixup: Beyond Empirical Risk Minimization",
https://arxiv.org/abs/1710.09412, section 2 and figure 1a.

    x~ = s x + (1 - s) x',  y~ = s y + (1 - s) y',  s ~ Beta(alpha, alpha)

x' is the batch in another order; one s a batch, as in the paper's code.
Stage: the batch and the loss, while training.
"""

import numpy as np
from torch import Tensor

from .mixing import Mixing


class Mixup(Mixing):
    """Blends two examples; logs the share of the example itself."""

    def mixed(
        self, x: Tensor, other: Tensor, share: float, random: np.random.Generator
    ) -> tuple[Tensor, float]:
        return share * x + (1 - share) * other, share
