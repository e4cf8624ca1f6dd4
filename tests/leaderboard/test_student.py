"""Student's t against SciPy's, from 1 degree of freedom to very many."""

import math

import pytest
from scipy import stats

from nnlab.leaderboard.student import p_value, quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 9, 30, 31, 100, 999, 10**5])
@pytest.mark.parametrize("t", [0.0, 1e-9, 0.1, 1.0, 1.7, 2.5, 12.7, 60.0, 1e4, 1e9])
def test_p_values_are_scipys(t, freedom):
    wanted = 2 * stats.t.sf(t, freedom)
    assert p_value(t, freedom) == pytest.approx(wanted, rel=1e-9, abs=1e-300)
    assert p_value(-t, freedom) == p_value(t, freedom)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 9, 30, 31, 100, 999])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_quantiles_are_scipys(confidence, freedom):
    wanted = stats.t.ppf((1 + confidence) / 2, freedom)
    assert quantile(confidence, freedom) == pytest.approx(wanted, rel=1e-10)


def test_the_ends():
    assert p_value(0.0, 3) == 1
    assert p_value(math.inf, 3) == 0
    assert p_value(1e200, 3) == 0
