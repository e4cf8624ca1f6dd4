"""Pooling by rows is torch's pooling: its numbers, its ties, its gradients."""

import pytest
import torch
from torch import nn

from nnlab.layer.max_pool import MaxPool2x2


def both(x):
    """Return outputs and gradients of ours and of torch's."""
    found = []
    for pool in (MaxPool2x2(), nn.MaxPool2d(2)):
        mine = x.clone().requires_grad_()
        y = pool(mine)
        (y * torch.arange(y.numel(), dtype=x.dtype).view_as(y)).sum().backward()
        found.append((y, mine.grad))
    return found


@pytest.mark.parametrize("size", [(2, 2), (28, 28), (10, 6), (7, 9), (8, 5)])
def test_it_is_torchs_to_the_bit(size):
    generator = torch.Generator().manual_seed(0)
    (ours, gradient), (theirs, expected) = both(
        torch.randn(3, 4, *size, generator=generator)
    )
    assert torch.equal(ours, theirs)
    assert torch.equal(gradient, expected)


def test_of_equal_numbers_the_first_has_the_gradient_in_all_81_orders():
    windows = torch.cartesian_prod(*[torch.arange(3.0)] * 4).view(1, 81, 2, 2)
    (ours, gradient), (theirs, expected) = both(windows)
    assert torch.equal(ours, theirs)
    assert torch.equal(gradient, expected)


def test_no_number_is_the_largest():
    x = torch.zeros(1, 1, 2, 4)
    x[0, 0, 1, 2] = torch.nan
    assert MaxPool2x2()(x)[0, 0, 0].isnan().tolist() == [False, True]


def test_gradients_of_gradients_are_right():
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    pool = MaxPool2x2()
    assert torch.autograd.gradcheck(pool, x)
    assert torch.autograd.gradgradcheck(pool, x)


def test_it_is_vectorised_over_examples():
    x = torch.randn(5, 2, 4, 4)

    def total(image):
        return MaxPool2x2()(image[None]).square().sum()

    gradients = torch.func.vmap(torch.func.grad(total))(x)
    for image, gradient in zip(x, gradients, strict=True):
        torch.testing.assert_close(gradient, torch.func.grad(total)(image))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_it_keeps_the_type(dtype):
    assert MaxPool2x2()(torch.randn(1, 1, 4, 4, dtype=dtype)).dtype == dtype
