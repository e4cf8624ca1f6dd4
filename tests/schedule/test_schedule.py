"""Each schedule against torch's own, or a form worked out by hand."""

import io
import math
from functools import partial
from pathlib import Path

import pytest
import torch
from hydra.utils import get_class
from omegaconf import OmegaConf
from torch import nn
from torch.optim import lr_scheduler

from nnlab.schedule.constant import Constant
from nnlab.schedule.cosine import Cosine
from nnlab.schedule.inverse_sqrt import InverseSqrt
from nnlab.schedule.one_cycle import OneCycle
from nnlab.schedule.step import Step

CONF = Path(__file__).parents[2] / "conf/schedule"
NAMES = sorted(path.stem for path in CONF.glob("*.yaml"))


def option(name):
    config = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    return partial(get_class(config.pop("_target_")), **config)


def optimizer(*rates) -> torch.optim.Optimizer:
    groups = [{"params": [nn.Parameter(torch.ones(1))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=1.0)


def rates(schedule, steps) -> list[float]:
    """Return the learning rate of each step's update; the first group's."""
    found = []
    for _ in range(steps):
        found.append(schedule.optimizer.param_groups[0]["lr"])
        schedule.optimizer.step()
        schedule.step()
    return found


def test_five_schedules_are_offered():
    assert {"constant", "cosine", "inverse_sqrt", "one_cycle", "step"} <= set(NAMES)


def test_constant_keeps_the_rate():
    assert set(rates(Constant(optimizer(0.3), 10), 12)) == {0.3}


def test_cosine_is_torchs_without_a_warm_up():
    ours = Cosine(optimizer(0.3), 40, warm_up_steps=0, final_factor=0.1)
    theirs = lr_scheduler.CosineAnnealingLR(optimizer(0.3), T_max=40, eta_min=0.03)
    assert rates(ours, 40) == pytest.approx(rates(theirs, 40))


def test_cosine_is_nanogpts():
    def nanogpt(it, *, lr, warm_up, last, least) -> float:  # train.py, get_lr
        if it < warm_up:
            return lr * (it + 1) / (warm_up + 1)
        if it > last:
            return least
        ratio = (it - warm_up) / (last - warm_up)
        return least + 0.5 * (1.0 + math.cos(math.pi * ratio)) * (lr - least)

    ours = Cosine(optimizer(1e-3), 100, warm_up_steps=10, final_factor=0.1)
    expected = [
        nanogpt(it, lr=1e-3, warm_up=10, last=100, least=1e-4) for it in range(110)
    ]
    assert rates(ours, 110) == pytest.approx(expected)


def test_a_short_run_warms_up_for_a_tenth_of_it():
    ours = Cosine(optimizer(1.0), 30, warm_up_steps=100, final_factor=0.0)
    assert rates(ours, 4) == pytest.approx(
        [0.25, 0.5, 0.75, 1.0],
    )


def test_one_cycle_is_torchs():
    ours = OneCycle(
        optimizer(0.3), 40, peak_at=0.3, initial_factor=1 / 25, final_factor=4e-6
    )
    theirs = lr_scheduler.OneCycleLR(
        optimizer(0.3),
        max_lr=0.3,
        total_steps=40,
        pct_start=0.3,
        div_factor=25,
        final_div_factor=1e4,
        cycle_momentum=False,
    )
    expected = [theirs.get_last_lr()[0]]
    for _ in range(39):
        theirs.optimizer.step()
        theirs.step()
        expected.append(theirs.get_last_lr()[0])
    assert rates(ours, 40) == pytest.approx(expected)


def test_step_is_torchs_at_the_same_milestones():
    ours = Step(optimizer(0.3), 40, drop_at=[0.5, 0.75], drop_factor=0.1)
    theirs = lr_scheduler.MultiStepLR(optimizer(0.3), milestones=[20, 30], gamma=0.1)
    assert rates(ours, 45) == pytest.approx(rates(theirs, 45))


def test_inverse_sqrt_peaks_after_its_warm_up_and_halves_at_four_times_that():
    found = rates(InverseSqrt(optimizer(0.3), 10, warm_up_steps=5), 20)
    assert found[0] == pytest.approx(0.3 / 5)
    assert found[4] == pytest.approx(0.3) == max(found)
    assert found[19] == pytest.approx(0.15)
    bare = rates(InverseSqrt(optimizer(1.0), 10, warm_up_steps=1), 9)
    assert bare == pytest.approx([1 / math.sqrt(t) for t in range(1, 10)])


@pytest.mark.parametrize("name", NAMES)
def test_every_rate_is_between_nothing_and_the_optimizers(name):
    for steps in (1, 2, 7, 500):
        found = rates(option(name)(optimizer(0.3), steps), steps + 5)
        assert all(0 <= rate <= 0.3 + 1e-12 for rate in found)
        assert all(rate > 0 for rate in found[:steps])


@pytest.mark.parametrize("name", NAMES)
def test_groups_keep_their_ratio(name):
    schedule = option(name)(optimizer(0.3, 0.03), 50)
    for _ in range(40):
        schedule.optimizer.step()
        schedule.step()
        first, second = (g["lr"] for g in schedule.optimizer.param_groups)
        assert first == pytest.approx(10 * second)


def continued(name, state, *, steps, rate=0.3):
    """Return the option's schedule as Lightning continues it from a checkpoint."""
    again = option(name)(optimizer(rate), steps)
    again.optimizer.load_state_dict(state["optimizer"])
    again.load_state_dict(state["schedule"])
    return again


def checkpoint(schedule) -> dict:
    file = io.BytesIO()
    state = {
        "optimizer": schedule.optimizer.state_dict(),
        "schedule": schedule.state_dict(),
    }
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("name", NAMES)
def test_continues_from_its_saved_state_to_the_same_bits(name):
    schedule = option(name)(optimizer(0.3), 300)
    rates(schedule, 120)
    state = checkpoint(schedule)
    assert rates(continued(name, state, steps=300), 180) == rates(schedule, 180)


@pytest.mark.parametrize("name", NAMES)
def test_continued_with_more_steps_follows_the_longer_curve(name):
    schedule = option(name)(optimizer(0.3), 200)
    rates(schedule, 150)
    longer = continued(name, checkpoint(schedule), steps=400)
    fresh = option(name)(optimizer(0.3), 400)
    assert rates(longer, 250) == rates(fresh, 400)[150:]


@pytest.mark.parametrize("name", NAMES)
def test_continued_with_another_rate_uses_it_at_once(name):
    schedule = option(name)(optimizer(0.3), 200)
    rates(schedule, 150)
    other = continued(name, checkpoint(schedule), steps=200, rate=0.6)
    fresh = option(name)(optimizer(0.6), 200)
    assert rates(other, 50) == rates(fresh, 200)[150:]


def test_a_rate_in_a_tensor_is_changed_in_place():
    weights = nn.Parameter(torch.ones(1))
    kept = torch.tensor(0.5)
    held = torch.optim.SGD([weights], lr=kept)
    schedule = Cosine(held, 4, warm_up_steps=0, final_factor=0.0)
    for _ in range(2):
        held.step()
        schedule.step()
    assert held.param_groups[0]["lr"] is kept
    assert kept.item() == pytest.approx(0.25)
