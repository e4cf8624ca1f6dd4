"""GELU by a sigmoid is GELU by tanh, and so are its derivatives."""

import math

import pytest
import torch
from torch.nn import functional as F

from nnlab.layer.gelu import gelu


def grid():
    return torch.linspace(-30, 30, 60_001, requires_grad=True)


def test_values_are_those_of_the_formula():
    x = grid()
    y = x.detach().double()
    inner = math.sqrt(2 / math.pi) * (y + 0.044715 * y**3)
    expected = 0.5 * y * (1 + inner.tanh())
    torch.testing.assert_close(gelu(x).double(), expected, atol=1e-6, rtol=1e-6)


def test_the_gradient_is_the_derivative():
    x, exact = grid(), grid().detach().double().requires_grad_()
    gelu(x).sum().backward()
    F.gelu(exact, approximate="tanh").sum().backward()
    torch.testing.assert_close(x.grad.double(), exact.grad, atol=4e-6, rtol=1e-6)


def test_the_chain_rule_holds():
    x = torch.randn(5, 7, requires_grad=True)
    weight = torch.randn(5, 7)
    [found] = torch.autograd.grad((gelu(x) * weight).sum(), x)
    [expected] = torch.autograd.grad((F.gelu(x, approximate="tanh") * weight).sum(), x)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_it_has_a_second_derivative():
    x = torch.randn(50, requires_grad=True)
    found, expected = (
        torch.autograd.grad(
            torch.autograd.grad(kind(x).sum(), x, create_graph=True)[0].square().sum(),
            x,
        )[0]
        for kind in (gelu, lambda x: F.gelu(x, approximate="tanh"))
    )
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_types_are_torchs(dtype):
    x = torch.randn(100, dtype=dtype)
    assert torch.equal(gelu(x), F.gelu(x, approximate="tanh"))


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_is_no_number_stays_none(value):
    x = torch.tensor([value, 1.0])
    found, expected = gelu(x), F.gelu(x, approximate="tanh")
    assert found.isfinite().tolist() == expected.isfinite().tolist() == [False, True]


def test_torchs_transforms_take_it():
    x = torch.randn(9)
    found = torch.func.vmap(torch.func.grad(gelu))(x)
    expected = torch.func.vmap(
        torch.func.grad(lambda each: F.gelu(each, approximate="tanh"))
    )(x)
    assert torch.equal(found, expected)
