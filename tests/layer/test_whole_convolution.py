"""A convolution as large as its image is torch's, gradients too."""

import pytest
import torch
from torch import nn

from nnlab.layer.whole_convolution import WholeConvolution


@pytest.mark.parametrize("size", [(5, 5), (7, 6)])
def test_it_is_torchs_convolution(size):
    torch.manual_seed(0)
    ours, theirs = WholeConvolution(3, 4, kernel_size=5), nn.Conv2d(3, 4, 5)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, *size)
    found = []
    for layer in (ours, theirs):
        mine = x.clone().requires_grad_()
        maps = layer(mine)
        maps.sin().sum().backward()
        found.append((maps, mine.grad, layer.weight.grad, layer.bias.grad))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_an_image_smaller_than_the_kernel_is_refused_as_torch_does():
    with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        WholeConvolution(1, 1, kernel_size=5)(torch.randn(1, 1, 4, 4))
