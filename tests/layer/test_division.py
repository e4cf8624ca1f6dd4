"""What is body, what is head, what is frozen: on small networks divided by hand."""

import pytest
import torch
from torch import nn

from nnlab.errors import UserError
from nnlab.layer.division import divide, freeze, layers_of


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.norm = nn.BatchNorm1d(4)
        self.inner = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
        self.output = nn.Linear(4, 2)
        self.register_buffer("seen", torch.zeros(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.inner(self.norm(self.first(x)).relu()).relu())


BODY = ["first", "norm", "inner.0", "inner.2"]


def frozen(amount, head=None):
    return list(divide(Network(), freeze=amount, head=head).frozen)


def test_layers_are_what_holds_weights_in_the_order_of_the_model():
    assert list(layers_of(Network())) == [*BODY, "output"]


def test_the_head_is_the_last_layer_unless_others_are_named():
    assert list(divide(Network(), freeze="none", head=None).head) == ["output"]
    named = divide(Network(), freeze="none", head=["inner", "output"])
    assert list(named.head) == ["inner.0", "inner.2", "output"]
    assert list(named.body) == ["first", "norm"]
    assert list(divide(Network(), freeze="none", head=[]).body) == [*BODY, "output"]


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("all", 4), ("none", 0), (0, 0), (1, 1), (4, 4), (-1, 3), (-3, 1), (-4, 0)],
)
def test_a_number_freezes_the_first_layers_a_negative_one_spares_the_last(
    amount, expected
):
    assert frozen(amount) == BODY[:expected]


@pytest.mark.parametrize("amount", [5, -5])
def test_more_layers_than_there_are_cannot_be_frozen(amount):
    with pytest.raises(UserError, match=rf"freeze={amount} .* 4 layers .*inner\.2"):
        frozen(amount)


def test_a_head_that_is_not_there_gets_a_hint():
    with pytest.raises(UserError, match="no layer 'outputs'; did you mean output"):
        frozen("all", head=["outputs"])


def test_something_must_be_left_to_take_and_to_learn():
    with pytest.raises(UserError, match="all head"):
        frozen("all", head=["first", "norm", "inner", "output"])
    with pytest.raises(UserError, match="nothing to learn"):
        frozen("all", head=[])


def test_a_head_tied_to_the_body_cannot_begin_anew():
    network = Network()
    network.output.weight = network.inner[2].weight
    with pytest.raises(UserError, match=r"head output shares .* inner\.2"):
        divide(network, freeze="none", head=None)


def test_a_frozen_layer_stays_bit_equal_and_its_batch_norm_keeps_its_means():
    torch.manual_seed(0)
    network = Network().train()
    division = divide(network, freeze=2, head=None)
    freeze(division)
    before = {name: w.clone() for name, w in network.state_dict().items()}
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        network(torch.randn(8, 3)).square().mean().backward()
        optimizer.step()
    changed = {n for n, w in network.state_dict().items() if not w.equal(before[n])}
    assert changed == {
        f"{layer}.{part}"
        for layer in ("inner.0", "inner.2", "output")
        for part in ("weight", "bias")
    }


def test_a_buffer_of_the_model_itself_is_not_of_the_body():
    division = divide(Network(), freeze="none", head=None)
    assert division.has_in_body("norm.running_mean")
    assert not division.has_in_body("seen")
    assert not division.has_in_body("output.bias")
