"""What is put into the forward pass, and taken out again."""

import numpy as np
import pytest
import torch
from lightning import Callback
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from nnlab.learner import Learner
from nnlab.model.mlp import MLP


def far_apart(one: dict, other: dict) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def mlp(dropout: float = 0.0) -> MLP:
    torch.manual_seed(0)
    model = MLP(
        input_size=4,
        classes=3,
        hidden_sizes=[8, 8],
        activation="tanh",
        dropout=dropout,
        loss="cross_entropy",
        initial_weights="default",
    )
    model.make_optimizer = lambda p: torch.optim.SGD(p, lr=0.1)
    model.make_schedule = lambda o, _: torch.optim.lr_scheduler.ConstantLR(o, 1.0)
    return model


def test_dropout_drops_what_the_models_own_would(make, fit):
    put_in = fit(mlp(), make("dropout", rate=0.3))
    assert far_apart(put_in, fit(mlp(0.3))) < 1e-6
    assert far_apart(put_in, fit(mlp())) > 1e-3


def test_dropout_of_whole_maps_drops_channels_and_keeps_the_mean(make):
    dropout = make("dropout", rate=0.25, whole_maps=True, include=["1"])
    model = nn.Sequential(nn.Identity(), nn.Identity())
    [*dropout.put_in(model)]
    y = model(torch.ones(200, 50, 3, 3))
    per_map = y.flatten(2)
    assert (per_map == per_map[..., :1]).all()  # all of a map, or none
    assert y.unique().tolist() == pytest.approx([0, 4 / 3])
    assert y.mean().item() == pytest.approx(1, abs=0.02)
    assert dropout.numbers()["dropout"].item() == pytest.approx(0.25, abs=0.02)
    model.eval()
    assert torch.equal(model(y), y)


def test_drop_connect_moves_the_weights_behind_the_mask(make):
    layer = nn.Linear(30, 20)
    before = layer.weight.detach().clone()
    drop = make("drop_connect", rate=0.4)
    drop.parametrize(layer, "weight")
    layer(torch.ones(5, 30)).sum().backward()
    kept = drop.drops[0].kept[0]
    assert 0.5 < kept.mean() < 0.7
    source = layer.parametrizations["weight"].original
    # d/dW of sum over 5 rows of (M W / 0.6) 1: 5 M / 0.6
    assert torch.allclose(source.grad, 5 * kept / 0.6)
    layer.eval()
    assert torch.equal(layer.weight, before)


def test_stochastic_depth_skips_later_branches_more_often(make):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.branch = nn.Identity()

        def forward(self, x):
            return x + self.branch(torch.ones_like(x))

    model = nn.Sequential(*(Block() for _ in range(4)))
    depth = make("stochastic_depth", rate=0.8, include=["*.branch"])
    [*depth.put_in(model)]
    x = torch.zeros(20_000, 1)
    for place, block in enumerate(model, start=1):
        y = block(x)
        survival = 1 - place / 4 * 0.8  # equation 4 of the paper
        assert (y > 0).float().mean().item() == pytest.approx(survival, abs=0.02)
        assert y.max().item() == pytest.approx(1 / survival)
    model.eval()
    assert torch.equal(model(x), torch.full_like(x, 4))


class Watch(Callback):
    """Keeps what a checkpoint would hold, and the layers' singular values."""

    def __init__(self):
        self.names, self.values = [], []

    def on_train_batch_end(self, trainer, pl_module, *_):
        state = pl_module.state_dict()
        self.names.append(list(state))
        self.values.append({name: value.clone() for name, value in state.items()})


@pytest.mark.parametrize("name", ["spectral_norm", "weight_norm"])
def test_a_norm_trains_as_torchs_own_parametrization(name, make, net, fit):
    own = net()
    torch.manual_seed(7)  # of the vectors that spectral norm begins with
    for layer in (own.first, own.output):
        getattr(parametrizations, name)(layer)
    fit(own)
    own.eval()
    model, watch = net(), Watch()
    regularizer = make(name)
    setup = regularizer.setup
    regularizer.setup = lambda *a, **k: (torch.manual_seed(7), setup(*a, **k))
    fit(model, regularizer, watch)
    assert {*watch.names[0]} == {*net().state_dict()}  # a checkpoint has plain names
    for layer in ("first", "output"):
        expected = getattr(own, layer).weight.detach()
        assert torch.allclose(getattr(model, layer).weight, expected, atol=1e-6)
        assert torch.allclose(watch.values[-1][f"{layer}.weight"], expected, atol=1e-6)
    assert list(model.state_dict()) == list(net().state_dict())


def test_spectral_norm_leaves_a_largest_singular_value_of_one(make, net, points, fit):
    model = net()
    fit(model, make("spectral_norm"), data=points(repeats=5))
    for layer in (model.first, model.output):
        largest = np.linalg.svd(layer.weight.detach().numpy(), compute_uv=False)[0]
        assert largest == pytest.approx(1, abs=0.01)


def test_weight_norm_begins_as_the_same_network(make, net):
    model, x = net(), torch.randn(5, 4)
    before = model(x)
    [*make("weight_norm").put_in(model)]
    assert torch.allclose(model(x), before, atol=1e-6)


def test_a_checkpoint_loads_with_and_without_the_parametrization(make, net):
    model, other = net(), net()
    regularizer = make("weight_norm")
    [*regularizer.put_in(model)]
    state = model.state_dict()
    other.load_state_dict(state)  # without
    with torch.no_grad():
        other.first.weight.mul_(3)
    model.load_state_dict(other.state_dict())  # weights from before
    assert torch.allclose(model.first.weight, other.first.weight, atol=1e-6)


def test_a_weight_that_two_layers_share_is_not_parametrized(make):
    class Tied(Learner):
        def __init__(self):
            super().__init__()
            self.embedding, self.output = nn.Embedding(9, 4), nn.Linear(4, 9)
            self.middle = nn.Linear(4, 4)
            self.output.weight = self.embedding.weight

    model = Tied()
    [*make("spectral_norm").put_in(model)]
    assert not hasattr(model.output, "parametrizations")
    assert hasattr(model.middle, "parametrizations")
    with pytest.raises(ValueError, match="which several layers share"):
        [*make("spectral_norm", include=["output.weight"]).put_in(Tied())]


def test_weights_that_begin_at_zero_have_no_direction(make, net):
    model = net()
    nn.init.zeros_(model.output.weight)
    for name in ("spectral_norm", "weight_norm"):
        with pytest.raises(ValueError, match="begin at 0"):
            [*make(name, include=["output.weight"]).put_in(model)]


PUT_IN = ("dropout", "drop_connect", "spectral_norm", "weight_norm")


@pytest.mark.parametrize("name", PUT_IN)
@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_taken_out_again(name, fails, make, net, fit, each_batch):
    model = net()

    def fail(_):
        if fails:
            raise ArithmeticError

    try:
        fit(model, make(name), each_batch(fail))
    except ArithmeticError:
        assert fails
    assert list(model.state_dict()) == list(net().state_dict())
    names = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert names == list(net().state_dict())
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._state_dict_hooks
        assert not module._load_state_dict_pre_hooks
    x = torch.randn(3, 4)
    assert torch.equal(model(x), model(x))


def test_other_regularizers_find_a_parametrized_weight_by_its_name(
    make, net, fit, each_batch
):
    l1 = make("l1", include=["first.weight"])
    seen = []
    look = each_batch(lambda _: seen.append([*l1.weights]))
    fit(net(), l1, make("spectral_norm"), look)
    assert seen[0] == ["first.weight"]


def test_a_drop_is_another_one_each_step(make, net, fit, each_batch):
    dropout = make("dropout", rate=0.5)
    masks = []
    fit(net(), dropout, each_batch(lambda _: masks.append(dropout.hooks[0].kept)))
    assert not torch.equal(masks[0], masks[1])
    assert F.mse_loss(masks[0], masks[1]) > 0.1
