"""Meter against NumPy's weighted means."""

from typing import Any

import numpy as np
import pytest
import torch

from nnlab.meter import Meter

VALUES = np.random.default_rng(0).normal(size=20)
WEIGHTS = np.random.default_rng(1).integers(1, 9, size=20)


def fill(meter: Meter, first: int = 0, end: int = 20) -> None:
    for value, weight in zip(VALUES[first:end], WEIGHTS[first:end], strict=True):
        scalars = {"loss": torch.tensor(value), "double": torch.tensor(2 * value)}
        meter.add(scalars, int(weight))


def average(first: int, end: int) -> float:
    return float(np.average(VALUES[first:end], weights=WEIGHTS[first:end]))


def test_means_are_weighed_by_examples():
    meter = Meter()
    fill(meter)
    means = meter.epoch_means()
    assert means["loss"].item() == pytest.approx(average(0, 20), rel=1e-6)
    assert means["double"].item() == pytest.approx(2 * average(0, 20), rel=1e-6)


def test_an_epoch_starts_anew():
    meter = Meter()
    fill(meter, 0, 5)
    meter.epoch_means()
    assert meter.epoch_means() == {}
    fill(meter, 5, 9)
    assert meter.epoch_means()["loss"].item() == pytest.approx(average(5, 9), rel=1e-6)


def test_recent_means_are_those_since_the_last_look():
    meter = Meter()
    assert meter.recent() == {}
    fill(meter, 0, 7)
    assert meter.recent()["loss"] == pytest.approx(average(0, 7))
    assert meter.recent() == {}
    fill(meter, 7, 12)
    assert meter.recent()["loss"] == pytest.approx(average(7, 12))
    assert meter.epoch_means()["loss"].item() == pytest.approx(average(0, 12), rel=1e-6)


def test_a_restored_meter_goes_on_where_it_was():
    meter, other = Meter(), Meter()
    fill(meter, 0, 7)
    meter.recent()
    fill(meter, 7, 9)
    state = meter.state()
    fill(meter, 9, 12)  # which must not reach the state
    other.restore(state)
    fill(other, 9, 12)
    assert other.recent() == meter.recent()
    assert other.epoch_means() == meter.epoch_means()


def test_a_state_is_restored_more_than_once():
    meter = Meter()
    fill(meter, 0, 7)
    state = meter.state()
    for _ in range(2):
        other = Meter()
        other.restore(state)
        fill(other, 7, 9)
        mean = other.epoch_means()["loss"].item()
        assert mean == pytest.approx(average(0, 9), rel=1e-6)


def test_many_small_batches_lose_no_digits():
    meter = Meter()
    for _ in range(10_000):
        meter.add({"loss": torch.tensor(0.1)}, 1000)
    assert meter.epoch_means()["loss"].item() == pytest.approx(0.1, abs=1e-8)


def test_ranks_are_summed_before_they_are_divided():
    meter = Meter()
    meter.add({"loss": torch.tensor(3.0)}, 1)
    of_the_other = torch.tensor([3.0, 5.0])  # weight 3, sum 5
    recent = meter.recent(lambda totals: totals + of_the_other)
    assert recent["loss"] == pytest.approx((3 + 5) / (1 + 3))
    means = meter.epoch_means(lambda totals: totals + of_the_other)
    assert means["loss"].item() == pytest.approx((3 + 5) / (1 + 3))


def meters_of_two_ranks() -> list[Meter]:
    first, second = Meter(), Meter()
    fill(first, 0, 7)
    fill(second, 7, 12)
    first.recent()
    fill(first, 12, 14)
    return [first, second]


def state_of_two_ranks() -> dict[str, Any]:
    states = [meter.state() for meter in meters_of_two_ranks()]
    rows = {key: torch.cat([s[key] for s in states]) for key in ("totals", "seen")}
    return {**states[0], **rows}


def test_each_rank_takes_its_own_back():
    for rank, meter in enumerate(meters_of_two_ranks()):
        other = Meter()
        other.restore(state_of_two_ranks(), rank, 2)
        fill(other, 14, 20)
        fill(meter, 14, 20)
        assert other.recent() == meter.recent()
        assert other.epoch_means() == meter.epoch_means()


@pytest.mark.parametrize("ranks", [1, 3])
def test_with_other_ranks_than_before_nothing_is_counted_twice(ranks):
    meters = [Meter() for _ in range(ranks)]
    for rank, meter in enumerate(meters):
        meter.restore(state_of_two_ranks(), rank, ranks)
    assert sum(meter.weight for meter in meters) == sum(WEIGHTS[:14])
    total = sum(meter.sums["loss"] for meter in meters)
    assert total / sum(WEIGHTS[:14]) == pytest.approx(average(0, 14))


def test_no_gradient_is_kept():
    meter = Meter()
    loss = torch.ones((), requires_grad=True) * 2
    meter.add({"loss": loss}, 1)
    assert not meter.epoch_means()["loss"].requires_grad
