"""CutMix: a rectangle of one image is pasted into another, and labels mix by area.

Yun, Han, Oh, Chun, Choe & Yoo (2019), "CutMix: Regularization Strategy to Train Strong
Classifiers with Localizable Features", https://arxiv.org/abs/1905.04899, section 3.1
and algorithm A1.

    x~ = x outside a box, x' inside;  y~ = s y + (1 - s) y',  s = 1 - area of the box

The box has (1 - s0) of the area, s0 ~ Beta(alpha, alpha), around a random pixel; what
reaches over the border is cut off, and s is what was really kept.
Stage: the batch and the loss, while training.
"""

import math

import numpy as np
from torch import Tensor

from .inputs import check_images
from .mixing import Mixing


class CutMix(Mixing):
    """Pastes a rectangle of one image into another; logs the share that is its own."""

    def mixed(
        self, x: Tensor, other: Tensor, share: float, random: np.random.Generator
    ) -> tuple[Tensor, float]:
        height, width = check_images(x, where=self.where)
        rows = interval(height, math.sqrt(1 - share), random)
        columns = interval(width, math.sqrt(1 - share), random)
        x = x.clone()
        x[:, :, rows, columns] = other[:, :, rows, columns]
        area = (rows.stop - rows.start) * (columns.stop - columns.start)
        return x, 1 - area / (height * width)


def interval(length: int, share: float, random: np.random.Generator) -> slice:
    """Return a share of `length` places around a random one, cut off at the ends."""
    size, middle = int(length * share), int(random.integers(length))
    start, stop = middle - size // 2, middle + size // 2
    return slice(max(start, 0), min(stop, length))
