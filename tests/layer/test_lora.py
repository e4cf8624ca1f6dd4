import copy

import pytest
import torch
from torch import nn

from nnlab.layer.lora import ALPHA, LowRankLinear, add_lora, merge_lora


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Linear(8, 6), nn.GELU(), nn.Linear(6, 8, bias=False))
    return nn.Sequential(nn.LayerNorm(8), inner)


def grown(network: nn.Module) -> nn.Module:
    """Give the changes something to change."""
    for module in network.modules():
        if isinstance(module, LowRankLinear):
            nn.init.normal_(module.b)
    return network


def test_begins_as_the_plain_network(network):
    x = torch.randn(3, 8)
    before = network(x)
    add_lora(network, rank=2)
    assert torch.equal(network(x), before)


def test_computes_the_papers_equation(network):
    add_lora(network, rank=2)
    layer = grown(network)[1][0]
    x = torch.randn(8)
    change = (ALPHA / 2) * layer.b @ (layer.a @ x)
    expected = layer.weight @ x + layer.bias + change
    torch.testing.assert_close(layer(x), expected)


def test_only_the_changes_learn(network):
    add_lora(network, rank=2)
    learning = {name for name, p in network.named_parameters() if p.requires_grad}
    assert learning == {"1.0.a", "1.0.b", "1.2.a", "1.2.b"}


def test_merged_layers_are_plain_and_compute_the_same(network):
    add_lora(network, rank=3)
    x = torch.randn(5, 8)
    changed = grown(network)(x)
    merged = copy.deepcopy(network)
    merge_lora(merged)
    torch.testing.assert_close(merged(x), changed, atol=1e-5, rtol=1e-5)
    assert not any(isinstance(m, LowRankLinear) for m in merged.modules())
    assert set(merged.state_dict()) == {
        "0.weight",
        "0.bias",
        "1.0.weight",
        "1.0.bias",
        "1.2.weight",
    }


def test_weights_of_the_plain_layer_load(network):
    plain = copy.deepcopy(network)
    add_lora(network, rank=2)
    missing, unexpected = network.load_state_dict(plain.state_dict(), strict=False)
    assert unexpected == []
    assert sorted(missing) == ["1.0.a", "1.0.b", "1.2.a", "1.2.b"]
