"""Four kernels compute, with a stride of 2, a convolution's four places of a window."""

import pytest
import torch
from torch.nn import functional as F

from nnlab.layer.four_places import at_four_places, from_four_places


@pytest.mark.parametrize("shape", [(6, 1, 5, 5), (2, 3, 1, 4), (1, 1, 1, 1)])
def test_each_computes_its_place(shape):
    torch.manual_seed(0)
    weight = torch.randn(shape, dtype=torch.float64)
    height, width = shape[2:]
    image = torch.randn(2, shape[1], 7 + height, 9 + width, dtype=torch.float64)
    maps = F.conv2d(image, weight)  # (2, maps, 8, 10)
    places = F.conv2d(image, at_four_places(weight), stride=2).chunk(4, dim=1)
    for found, (row, column) in zip(
        places, ((1, 1), (0, 1), (1, 0), (0, 0)), strict=True
    ):
        torch.testing.assert_close(found, maps[:, :, row::2, column::2])


def test_gradients_come_back_as_from_where_the_weights_were_put():
    weight = torch.randn(2, 3, 2, 4, dtype=torch.float64)
    kernels = torch.randn(8, 3, 3, 5, dtype=torch.float64)
    there, back = at_four_places(weight), from_four_places(kernels)
    torch.testing.assert_close((there * kernels).sum(), (weight * back).sum())
