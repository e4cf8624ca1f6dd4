from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nnlab.callback import onednn
from nnlab.callback.onednn import OneDNN, is_right


@pytest.fixture
def trainer() -> SimpleNamespace:
    return SimpleNamespace(strategy=SimpleNamespace(root_device=torch.device("cpu")))


@pytest.fixture
def layers(trainer, monkeypatch):
    """The same layers twice: as they are, and by oneDNN."""
    if not is_right():
        pytest.skip("this PyTorch has no oneDNN")
    monkeypatch.setattr(onednn, "is_amd", lambda: True)

    def make(*, bias: bool):
        torch.manual_seed(0)
        plain = nn.Sequential(nn.Linear(6, 9, bias), nn.Tanh(), nn.Linear(9, 4, bias))
        other = nn.Sequential(nn.Linear(6, 9, bias), nn.Tanh(), nn.Linear(9, 4, bias))
        other.load_state_dict(plain.state_dict())
        OneDNN().setup(trainer, other, "fit")
        return plain, other

    return make


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(6,), (5, 6), (3, 5, 6)])
def test_values_and_gradients_are_those_of_the_plain_layers(layers, bias, shape):
    if shape == (6,):
        shape = (1, 6)
    plain, other = layers(bias=bias)
    x, y = (torch.ones(shape).cumsum(-1).div(7).requires_grad_() for _ in range(2))
    plain(x).square().sum().backward()
    other(y).square().sum().backward()
    assert "forward" in vars(other[0])
    torch.testing.assert_close(x.grad, y.grad)
    for mine, theirs in zip(other.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)


def test_names_in_the_checkpoint_stay(layers):
    plain, other = layers(bias=True)
    assert list(other.state_dict()) == list(plain.state_dict())


def test_evaluation_is_the_plain_layers_to_the_bit(layers):
    plain, other = layers(bias=True)
    x = torch.randn(64, 6)
    with torch.no_grad():
        assert torch.equal(plain(x), other(x))


def test_autocast_is_left_alone(layers):
    plain, other = layers(bias=True)
    x = torch.randn(64, 6)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(plain(x), other(x))


def test_other_processors_stay_with_mkl(trainer, monkeypatch):
    monkeypatch.setattr(onednn, "is_amd", lambda: False)
    layer = nn.Linear(2, 2)
    OneDNN().setup(trainer, nn.Sequential(layer), "fit")
    assert "forward" not in vars(layer)


def test_an_operator_that_computes_something_else_is_not_used(monkeypatch):
    def wrong(x, weight, bias=None):
        return F.linear(x, weight, bias) + 0.01

    monkeypatch.setattr(onednn, "product", wrong)
    assert not is_right()
