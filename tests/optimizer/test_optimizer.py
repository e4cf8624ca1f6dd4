"""What every option of conf/optimizer owes."""

import io
from functools import partial
from pathlib import Path

import pytest
import torch
from hydra.utils import get_class
from omegaconf import OmegaConf
from torch import nn

CONF = Path(__file__).parents[2] / "conf/optimizer"
NAMES = sorted(path.stem for path in CONF.glob("*.yaml"))


def make(name, parameters, **numbers):
    config = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    target = get_class(config.pop("_target_"))
    return partial(target, **(config | numbers))(parameters)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 4 * 4, 8), nn.Linear(8, 3)
    )


def train(model, optimizer, steps, seed=1) -> float:
    generator = torch.Generator().manual_seed(seed)
    image = torch.randn(16, 1, 6, 6, generator=generator)
    label = torch.arange(16) % 3
    loss = torch.tensor(0.0)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(image), label)
        loss.backward()
        optimizer.step()
    return loss.item()


def saved(thing):
    file = io.BytesIO()
    torch.save(thing, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def weights(model) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


def test_six_optimizers_are_offered():
    assert {"adam", "adamw", "momentum", "muon", "rmsprop", "sgd"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_learns_at_the_rate_of_its_yaml(name):
    model = network()
    optimizer = make(name, model.parameters())
    assert train(model, optimizer, 1) > 0.9  # ln 3 = 1.10 knows nothing
    assert train(model, optimizer, 400) < 0.7


@pytest.mark.parametrize("name", NAMES)
def test_moves_every_weight_and_keeps_every_one_in_a_group(name):
    model = network()
    before = [weight.detach().clone() for weight in model.parameters()]
    optimizer = make(name, model.parameters())
    train(model, optimizer, 1)
    pairs = zip(before, model.parameters(), strict=True)
    assert all((old != new).any() for old, new in pairs)
    grouped = [w for group in optimizer.param_groups for w in group["params"]]
    assert {id(w) for w in grouped} == {id(w) for w in model.parameters()}
    assert len(grouped) == len(before)


@pytest.mark.parametrize("name", NAMES)
def test_continues_from_its_saved_state_to_the_same_bits(name):
    whole = network()
    train(whole, optimizer := make(name, whole.parameters()), 5)
    state, half = saved(optimizer.state_dict()), saved(whole.state_dict())
    train(whole, optimizer, 5, seed=2)

    resumed = network()
    resumed.load_state_dict(half)
    optimizer = make(name, resumed.parameters())
    optimizer.load_state_dict(state)
    train(resumed, optimizer, 5, seed=2)
    assert torch.equal(weights(whole), weights(resumed))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_resumed", [False, True])
def test_a_schedule_that_sets_every_group_to_zero_stops_it(name, is_resumed):
    model = network()
    optimizer = make(name, model.parameters(), weight_decay=0.1)
    train(model, optimizer, 2)
    if is_resumed:
        optimizer.load_state_dict(saved(optimizer.state_dict()))
    before = weights(model)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    train(model, optimizer, 2)
    assert torch.equal(before, weights(model))


@pytest.mark.parametrize("name", NAMES)
def test_the_scaler_of_fp16_shows_it_true_gradients(name):
    model = network()
    optimizer = make(name, model.parameters())
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    seen = []
    optimizer.register_step_pre_hook(
        lambda *_: seen.extend(w.grad.clone() for w in model.parameters())
    )
    loss = model(torch.ones(2, 1, 6, 6)).square().mean()
    true = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    assert all(torch.allclose(a, b) for a, b in zip(seen, true, strict=True))


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_decay_shrinks_what_multiplies_and_nothing_else(name):
    model = network()
    before = [weight.detach().clone() for weight in model.parameters()]
    optimizer = make(name, model.parameters(), lr=0.1, weight_decay=0.5)
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizer.step()
    for old, new in zip(before, model.parameters(), strict=True):
        kept = 1 - 0.1 * 0.5 if old.ndim >= 2 else 1.0
        torch.testing.assert_close(new.detach(), kept * old)
