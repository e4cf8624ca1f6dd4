"""Counts agree with their nouns, and no number reads as more than it is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlab.numerals import below_one, counted, hundredths, percent


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 documents"),
        (1, "1 document"),
        (2, "2 documents"),
        (2000, "2,000 documents"),
    ],
)
def test_one_is_singular(number, said):
    assert counted(number, "document") == said


def test_an_irregular_plural_is_given():
    assert [counted(n, "process", "processes") for n in (1, 4)] == [
        "1 process",
        "4 processes",
    ]


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.98914, "98.91 %"),
        (1.0, "100.00 %"),
        (0.0, "0.00 %"),
        (0.9999638795852661, "99.996 %"),  # a run of lstm_adder_4units
        (1 - 2**-24, "99.99999 %"),  # the float32 below 1
        (1 - 1e-12, "> 99.999999 %"),
        (0.00004, "0.004 %"),
        (1e-12, "< 0.000001 %"),
        (1.25, "125.00 %"),  # of another thing
    ],
)
def test_a_share_reads_as_no_more_than_it_is(share, said):
    assert percent(share) == said


@given(st.floats(min_value=0, max_value=1), st.integers(min_value=0, max_value=3))
def test_only_one_reads_as_100_and_only_0_as_nothing(share, decimals):
    said = hundredths(share, decimals)
    bare = float(said.lstrip("<> "))
    assert (bare == 100) == (share == 1)
    assert (bare == 0) == (share == 0)
    assert abs(bare - 100 * share) <= 0.5 * 10.0**-decimals * (1 + 1e-9)


@pytest.mark.parametrize(
    ("number", "form", "said"),
    [
        (0.99996, ".4g", "0.99996"),
        (0.99996, ".4f", "0.99996"),
        (0.9999996, ".6g", "0.9999996"),
        (1.0, ".4f", "1.0000"),
        (0.9871, ".4f", "0.9871"),
        (1.00001, ".4g", "1"),
        (-0.99996, ".4f", "-1.0000"),
        (1 - 2**-53, ".4g", "0.9999999999999999"),
        (math.nan, ".4f", "nan"),
    ],
)
def test_what_is_below_one_does_not_read_as_one(number, form, said):
    assert below_one(number, form) == said
