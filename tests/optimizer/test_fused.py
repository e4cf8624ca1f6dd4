"""The lean step is torch's own, to the bit, whatever the weights and gradients."""

import copy

import pytest
import torch
from torch import nn

from nnlab.optimizer import _fused
from nnlab.optimizer.adam import Adam
from nnlab.optimizer.adamw import AdamW

NUMBERS = {"lr": 3e-3, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1}


@pytest.fixture
def torchs(monkeypatch):
    """Count the steps that go torch's way."""
    counted: list[int] = []
    before = _fused.torchs_step

    def count(optimizer):
        counted.append(1)
        return before(optimizer)

    monkeypatch.setattr(_fused, "torchs_step", count)
    return counted


def networks():
    torch.manual_seed(0)
    one = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
    return one, copy.deepcopy(one)


def learn(network, optimizer, steps, seed=0, without=()):
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        x = torch.randn(6, 5, generator=generator)
        optimizer.zero_grad()
        network(x).square().sum().backward()
        if step in without:
            network[0].bias.grad = None
        optimizer.step()


def assert_same(one, other):
    for left, right in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("without", [(), (0, 1, 5)])
@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_a_lean_step_is_torchs_to_the_bit(kind, without, torchs):
    ours, theirs = networks()
    lean = kind(ours.parameters(), **NUMBERS)
    plain = torch.optim.Adam if kind is Adam else torch.optim.AdamW
    groups = [
        {**group, "params": list(theirs.parameters())}
        if kind is Adam
        else {
            **group,
            "params": [w for w in theirs.parameters() if (w.ndim >= 2) == (place == 0)],
        }
        for place, group in enumerate(lean.param_groups)
    ]
    learn(ours, lean, 9, without=without)
    learn(theirs, plain(groups, fused=True), 9, without=without)
    assert_same(ours, theirs)
    # the first whole one makes the state; one without a gradient is torch's to judge
    first = next(step for step in range(9) if step not in without)
    assert len(torchs) == len({first, *without})


def test_a_state_goes_on_from_lean_to_torchs_and_back(torchs):
    ours, theirs = networks()
    lean = Adam(ours.parameters(), **NUMBERS)
    learn(ours, lean, 4)
    theirs.load_state_dict(ours.state_dict())
    plain = torch.optim.Adam(theirs.parameters(), **NUMBERS, fused=True)
    plain.load_state_dict(copy.deepcopy(lean.state_dict()))
    learn(ours, lean, 4, seed=1)
    learn(theirs, plain, 4, seed=1)
    assert_same(ours, theirs)
    again = Adam(theirs.parameters(), **NUMBERS)
    again.load_state_dict(copy.deepcopy(plain.state_dict()))
    learn(ours, lean, 4, seed=2)
    learn(theirs, again, 4, seed=2)
    assert_same(ours, theirs)
    assert len(torchs) == 1


def test_hooks_and_profilers_see_every_step(torchs):
    network, _ = networks()
    optimizer = Adam(network.parameters(), **NUMBERS)
    called: list[str] = []
    learn(network, optimizer, 2)
    before = optimizer.register_step_pre_hook(lambda *_: called.append("before"))
    optimizer.register_step_post_hook(lambda *_: called.append("after"))
    learn(network, optimizer, 2)
    assert called == ["before", "after"] * 2
    before.remove()
    with torch.profiler.profile() as profile:
        learn(network, optimizer, 1)
    assert any("Optimizer.step" in event.key for event in profile.key_averages())


def test_a_closure_is_called_with_gradients_on_and_its_loss_returned():
    network, _ = networks()
    optimizer = Adam(network.parameters(), **NUMBERS)

    def closure():
        optimizer.zero_grad()
        loss = network(torch.ones(2, 5)).square().sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(40)]
    assert losses[-1] < losses[0] / 2


def test_gradients_are_forgotten_and_may_be_set_to_zero():
    network, _ = networks()
    optimizer = Adam(network.parameters(), **NUMBERS)
    learn(network, optimizer, 1)
    optimizer.zero_grad(set_to_none=False)
    assert all(w.grad is not None and not w.grad.any() for w in network.parameters())
    optimizer.zero_grad()
    assert all(weight.grad is None for weight in network.parameters())


def test_more_weights_of_another_type_go_torchs_way(torchs):
    network, _ = networks()
    optimizer = Adam(network.parameters(), **NUMBERS)
    learn(network, optimizer, 3)
    double = nn.Parameter(torch.ones(2, dtype=torch.float64))
    optimizer.add_param_group({"params": [double]})
    double.grad = torch.ones(2, dtype=torch.float64)
    optimizer.step()
    assert len(torchs) == 2
    assert (double < 1).all()


def test_a_state_that_was_moved_is_the_one_that_steps():
    ours, theirs = networks()
    lean = Adam(ours.parameters(), **NUMBERS)
    plain = torch.optim.Adam(theirs.parameters(), **NUMBERS, fused=True)
    for _ in range(3):  # Lightning puts another dictionary in place at each fit
        learn(ours, lean, 2)
        learn(theirs, plain, 2)
        for weight, state in lean.state.items():
            moved = {name: value.clone() for name, value in state.items()}
            lean.state[weight] = moved
    assert_same(ours, theirs)
    assert {int(state["step"]) for state in lean.state.values()} == {6}


def test_counters_of_weights_that_began_later_are_kept_apart():
    ours, theirs = networks()
    lean = Adam(ours.parameters(), **NUMBERS)
    plain = torch.optim.Adam(theirs.parameters(), **NUMBERS, fused=True)
    for network, optimizer in ((ours, lean), (theirs, plain)):
        learn(network, optimizer, 5, without=(0, 1))
    assert_same(ours, theirs)
    steps = [int(lean.state[weight]["step"]) for weight in ours.parameters()]
    assert steps == [5, 3, 5, 5]


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_state_that_is_taken_away_begins_anew(place):
    ours, theirs = networks()
    lean = Adam(ours.parameters(), **NUMBERS)
    plain = torch.optim.Adam(theirs.parameters(), **NUMBERS, fused=True)
    for network, optimizer in ((ours, lean), (theirs, plain)):
        learn(network, optimizer, 3)
        del optimizer.state[[*network.parameters()][place]]
        learn(network, optimizer, 3, seed=1)
        optimizer.state.clear()
        learn(network, optimizer, 3, seed=2)
    assert_same(ours, theirs)
    assert len(lean.state) == 4


def test_a_group_that_loses_weights_moves_the_others_alone():
    ours, theirs = networks()
    lean = Adam(ours.parameters(), **NUMBERS)
    plain = torch.optim.Adam(theirs.parameters(), **NUMBERS, fused=True)
    for network, optimizer in ((ours, lean), (theirs, plain)):
        learn(network, optimizer, 3)
        [group] = optimizer.param_groups
        group["params"] = group["params"][1:]
        learn(network, optimizer, 3, seed=1)
    assert_same(ours, theirs)
