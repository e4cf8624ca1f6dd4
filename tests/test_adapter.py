"""LoRA's changes in a file of their own: off one run, onto another."""

import pytest
import torch
from torch import nn

from nnlab.adapter import FILE, changes_of, load_adapter, save_adapter
from nnlab.errors import UserError
from nnlab.layer.lora import LowRankLinear, add_lora
from nnlab.pretrained.safetensors import read_safetensors, write_safetensors


def network(width: int = 6) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, width), nn.Sequential(nn.GELU()), nn.Linear(6, 4))


@pytest.fixture
def learned() -> nn.Sequential:
    changed = network()
    add_lora(changed, rank=2)
    for layer in changed.modules():
        if isinstance(layer, LowRankLinear):
            nn.init.normal_(layer.b)
    return changed


@pytest.fixture
def adapter(learned, tmp_path):
    save_adapter(changes_of(learned), tmp_path)
    return tmp_path


def test_the_file_holds_the_changes_alone(adapter):
    shapes = {n: tuple(t.shape) for n, t in read_safetensors(adapter / FILE).items()}
    assert shapes == {"0.a": (2, 4), "0.b": (6, 2), "2.a": (2, 6), "2.b": (4, 2)}


@pytest.mark.parametrize("name", [".", FILE])
def test_onto_what_it_changed_it_computes_what_was_learned(learned, adapter, name):
    x, other = torch.randn(5, 4), network()
    assert not torch.allclose(other(x), learned(x))
    load_adapter(other, adapter / name)
    assert torch.equal(other(x), learned(x))


def test_it_replaces_another_adapter_of_another_rank(learned, adapter):
    other = network()
    add_lora(other, rank=1)
    load_adapter(other, adapter)
    x = torch.randn(5, 4)
    assert torch.equal(other(x), learned(x))


def test_a_model_without_changes_has_no_adapter():
    with pytest.raises(UserError, match=r"model\.lora_rank above 0"):
        changes_of(network())


def test_a_layer_of_another_size_is_named(adapter):
    other = nn.Sequential(nn.Linear(4, 5))
    with pytest.raises(UserError, match="6 x 4, and the model's 0 has 5 x 4"):
        load_adapter(other, adapter)


def test_a_layer_that_is_not_there_is_named(adapter):
    with pytest.raises(UserError, match="changes 2, which the model does not have"):
        load_adapter(nn.Sequential(nn.Linear(4, 6)), adapter)


def test_other_weights_are_no_adapter(tmp_path):
    write_safetensors(tmp_path / FILE, {"0.weight": torch.zeros(2)})
    with pytest.raises(UserError, match="is no adapter"):
        load_adapter(network(), tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        load_adapter(network(), tmp_path / "none")
