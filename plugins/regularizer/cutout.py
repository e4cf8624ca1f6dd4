"""Cutout: a square of each image is blanked, so that no single detail is enough.

DeVries & Taylor (2017), "Improved Regularization of Convolutional Neural Networks with
Cutout", https://arxiv.org/abs/1708.04552, section 3.2.

    x <- x outside a square of `size` pixels around a random pixel, 0 inside

0 is the mean of normalised images. The square may reach over the border, as in the
paper: so some images lose less. Stage: the batch, while training.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from nnlab.errors import UserError
from nnlab.limits import Count
from nnlab.regularizer import LossRegularizer, Measure

from .inputs import change_inputs, check_images


class Cutout(LossRegularizer):
    """Blanks a square of each image; logs the share of pixels that this costs."""

    shell: ClassVar[int] = 1

    def __init__(self, *, size: Count) -> None:
        super().__init__()
        self.size = size
        self.blank: Tensor | None = None

    def around(self, measure: Measure, batch: Any) -> dict[str, Tensor]:
        seed = self.batch_seed(self.learner.trainer, self.learner)
        generator = torch.Generator().manual_seed(seed)

        def cut(image: Tensor) -> Tensor:
            height, width = check_images(image, where=self.where)
            if self.size > min(height, width):
                raise UserError(
                    f"{self.where}.size={self.size} is more than the images' "
                    f"{height}x{width}; try {min(height, width) // 2}"
                )
            items = len(image)
            rows = squares(items, height, self.size, generator).to(image.device)
            columns = squares(items, width, self.size, generator).to(image.device)
            self.blank = rows[:, None, :, None] & columns[:, None, None, :]
            return image.masked_fill(self.blank, 0)

        return measure(change_inputs(batch, cut, where=self.where))

    def numbers(self) -> Mapping[str, Tensor | float]:
        return {} if self.blank is None else {self.name: self.blank.float().mean()}


def squares(items: int, length: int, size: int, generator: torch.Generator) -> Tensor:
    """Return for each item which of `length` places lie in its interval of `size`.

    The middle is any place; what reaches over the ends is cut off.
    """
    middle = torch.randint(length, (items, 1), generator=generator)
    place = torch.arange(length) - (middle - size // 2)
    return (place >= 0) & (place < size)
