"""Scales: the numbers at an axis are few, round, and within it."""

from itertools import pairwise

import pytest

from nnlab.picture.scale import MOST_TICKS, linear, logarithmic, short

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0, 10, ["0", "2", "4", "6", "8", "10"]),
        (-1, 1, ["-1.0", "-0.5", "0.0", "0.5", "1.0"]),
        (0, 100_000, ["0", "20,000", "40,000", "60,000", "80,000", "100,000"]),
        (0, 5e-5, ["0", "1e-5", "2e-5", "3e-5", "4e-5", "5e-5"]),
        (3e9, 3.4e9, ["3G", "3.1G", "3.2G", "3.3G", "3.4G"]),
    ],
)
def test_numbers_are_round(low, high, written):
    ticks = linear(low, high, is_tight=True).ticks
    assert list(ticks.values()) == [text.replace("-", MINUS) for text in written]


@pytest.mark.parametrize("low", [-7.3, 0.0, 1e-7, 0.999, 3.2, 12345.6, 1e8])
@pytest.mark.parametrize("extent", [1e-9, 1e-3, 0.7, 1.0, 9.99, 33.0, 1e6, 1e12])
def test_numbers_lie_on_the_axis_evenly_and_are_few(low, extent):
    scale = linear(low, low + max(extent, 1e-6 * abs(low)))
    ticks = list(scale.ticks)
    assert 2 <= len(ticks) <= MOST_TICKS + 1
    room = 1e-6 * (scale.high - scale.low)
    assert all(scale.low - room <= tick <= scale.high + room for tick in ticks)
    gaps = [b - a for a, b in pairwise(ticks)]
    assert max(gaps) == pytest.approx(min(gaps), rel=1e-3)


def test_a_count_has_whole_numbers_only():
    assert list(linear(1, 3, is_whole=True).ticks.values()) == ["1", "2", "3"]
    assert list(linear(5, 5, is_whole=True).ticks.values()) == ["5"]
    assert all(tick % 1 == 0 for tick in linear(0, 11, is_whole=True).ticks)


def test_what_does_not_vary_lies_in_the_middle():
    assert linear(2.0, 2.0).share(2.0) == pytest.approx(0.5)
    assert linear(0.0, 0.0).share(0.0) == 0.5
    assert logarithmic(2.0, 2.0).share(2.0) == pytest.approx(0.5)


def test_decades_lie_at_even_distances():
    scale = logarithmic(1e-4, 1.0)
    assert list(scale.ticks.values()) == ["0.0001", "0.001", "0.01", "0.1", "1"]
    shares = [scale.share(tick) for tick in scale.ticks]
    gaps = [b - a for a, b in pairwise(shares)]
    assert gaps == pytest.approx([gaps[0]] * 4)
    assert scale.share(scale.low) == 0
    assert scale.share(scale.high) == pytest.approx(1)


def test_few_decades_show_numbers_between_and_very_many_leave_some_out():
    assert list(logarithmic(0.04, 1.0).ticks.values())[:3] == ["0.05", "0.1", "0.2"]
    assert len(logarithmic(1e-30, 1.0).ticks) <= MOST_TICKS
    narrow = list(logarithmic(1.3e-4, 0.068).ticks.values())  # 0.0002, 0.0005: too many
    assert narrow == ["0.0001", "0.0003", "0.001", "0.003", "0.01", "0.03"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1234.0, "1,234"), (-2e-5, "-2e-5"), (1.5e6, "1.5M"), (1e15, "1e15")],
)
def test_a_number_is_short(value, text):
    assert short(value) == text.replace("-", MINUS)
