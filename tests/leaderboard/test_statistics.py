"""Means, intervals and paired differences, against tables and a library."""

import math

import numpy as np
import pytest
from scipy import stats

from nnlab.leaderboard.statistics import mean_of, paired_difference


def test_an_interval_is_students():
    # By hand: mean 2, standard deviation 1, error 1/sqrt(3), t(0.975, 2) = 4.3027.
    mean = mean_of([1.0, 2.0, 3.0])
    assert mean.value == 2.0
    assert mean.half_width == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert mean.count == 3


def test_one_value_has_no_interval_and_no_value_no_mean():
    assert mean_of([4.0]).half_width is None
    with pytest.raises(ValueError, match="no values"):
        mean_of([])


def test_an_interval_holds_the_truth_in_19_of_20_cases():
    random = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        mean = mean_of(list(random.normal(3.0, 2.0, size=5)))
        held += abs(mean.value - 3.0) <= (mean.half_width or 0)
    assert held / 2000 == pytest.approx(0.95, abs=0.015)


def test_seeds_are_paired():
    one = {1: 0.9, 2: 0.7, 3: 0.8, 9: 0.1}
    other = {3: 0.75, 1: 0.85, 2: 0.66}
    found = paired_difference(one, other)
    assert found is not None
    assert found.mean.count == 3
    assert found.mean.value == pytest.approx(0.14 / 3)
    oracle = stats.ttest_rel([0.9, 0.7, 0.8], [0.85, 0.66, 0.75])
    assert found.p == pytest.approx(oracle.pvalue)
    low, high = oracle.confidence_interval(0.95)
    assert found.mean.half_width == pytest.approx((high - low) / 2)
    assert found.is_significant  # unpaired, p is 0.6: the seeds' spread hides it
    assert stats.ttest_ind(list(one.values()), list(other.values())).pvalue > 0.5


def test_what_few_seeds_cannot_say():
    assert paired_difference({1: 1.0}, {2: 1.0}) is None
    alone = paired_difference({1: 1.0}, {1: 0.5})
    assert alone is not None
    assert alone.p is None
    assert not alone.is_significant
    same = paired_difference({1: 1.0, 2: 2.0}, {1: 1.0, 2: 2.0})
    assert same is not None
    assert not same.is_significant


@pytest.mark.parametrize(("seeds", "significant"), [(2, False), (5, False), (6, True)])
def test_one_difference_on_every_seed_is_judged_by_its_sign(seeds, significant):
    found = paired_difference(
        dict.fromkeys(range(seeds), 1.0), dict.fromkeys(range(seeds), 0.5)
    )
    assert found is not None
    assert found.p == stats.binomtest(seeds, seeds).pvalue
    assert found.is_significant is significant
