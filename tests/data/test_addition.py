import itertools
from random import Random

import pytest
import torch

from nnlab.data.addition import count_pairs, draw_pairs, to_bits


@pytest.fixture
def addition(build):
    def make(*overrides: str):
        return build("data=addition", *overrides, part="data")

    return make


def numbers(bits: torch.Tensor) -> list[int]:
    """Read rows of bits, the least significant first, by the powers of two."""
    return [
        sum(int(bit) << place for place, bit in enumerate(row)) for row in bits.tolist()
    ]


def pairs_of(split) -> list[tuple[int, int]]:
    return list(zip(*(numbers(split[0][:, :, side]) for side in (0, 1)), strict=True))


def test_bits_are_those_of_each_number_the_least_significant_first():
    assert to_bits([6, 1, 0], 4).tolist() == [[0, 1, 1, 0], [1, 0, 0, 0], [0] * 4]
    large = 2**200 + 5
    assert numbers(to_bits([large], 201)) == [large]


def test_every_example_is_a_true_sum(addition):
    for split in addition().load():
        sums = numbers(split[1])
        assert [a + b for a, b in pairs_of(split)] == sums


def test_the_last_step_holds_only_the_carry(addition):
    addends, total = addition().load().test
    assert (addends.shape[1:], total.shape[1:]) == ((9, 2), (9,))
    assert addends[:, 8].sum() == 0
    assert 0.4 < total[:, 8].float().mean() < 0.6


def test_no_pair_is_in_two_splits_in_either_order_and_none_is_missing(addition):
    train, validation, test = map(pairs_of, addition().load())
    assert (len(train), len(validation)) == (4096, 1024)
    kept = [{frozenset(pair) for pair in part} for part in (train, validation, test)]
    for one, other in itertools.combinations(kept, 2):
        assert not one & other
    assert len(set().union(*kept)) == 256 * 257 // 2
    assert len(set(test)) == len(test)
    assert set(test) == {(b, a) for a, b in test}


def test_another_seed_draws_other_pairs_and_the_same_seed_the_same(addition):
    first, same, other = (
        addition(f"seed={seed}").load().train[0] for seed in (1, 1, 2)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("bits", "count"), [(3, 36), (6, 2000), (6, 1000), (100, 2000)]
)
def test_pairs_are_drawn_once(bits, count):
    pairs = draw_pairs(bits, count, Random(0))
    assert len({(min(pair), max(pair)) for pair in pairs}) == len(pairs) == count
    assert max(max(pair) for pair in pairs).bit_length() == bits
    assert {a < b for a, b in pairs if a != b} == {True, False}


def test_all_pairs_are_counted():
    assert count_pairs(1) == len([(0, 0), (0, 1), (1, 1)])
    assert count_pairs(8) == 32896


def test_the_other_order_is_the_same_sums_backwards_in_time(addition):
    least, most = (
        addition(f"data.first_bit={end}").load().train for end in ("least", "most")
    )
    assert torch.equal(least[0], most[0].flip(1))
    assert torch.equal(least[1], most[1].flip(1))


def test_longer_numbers_are_true_sums_and_never_pairs_of_short_ones(addition):
    longer = addition("data.test_bits=[4,9,64,256]", "data.long_test_pairs=200")
    batches = longer.longer()
    assert list(batches) == [9, 64, 256]  # 4 is no longer than 8
    for bits, (addends, total) in batches.items():
        assert addends.shape[1:] == (bits + 1, 2)
        assert (addends.dtype, total.dtype) == (torch.float32, torch.int64)
        pairs = pairs_of((addends, total))
        assert [a + b for a, b in pairs] == numbers(total)
        assert min(max(pair) for pair in pairs) >= 256
        assert len(pairs) > 100


def test_a_model_is_told_which_bit_comes_first(addition):
    assert addition().facts() == {"least_significant_first": True}
    assert addition("data.first_bit=most").facts() == {"least_significant_first": False}


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("data.bits=0",), "data.bits=0"),
        (
            ("data.bits=100000",),
            "data.bits=100000 must be less than or equal to 4096: each bit is a step",
        ),
        (("data.test_bits=[9,5000]",), r"data.test_bits\[1\]=5000 must be .* each bit"),
        (("data.bits=4",), "leave none of the 136 pairs of data.bits=4 to test"),
        (
            ("data.bits=4096", "data.test_pairs=1000000"),
            "data.bits=4096 and .* GiB for so many pairs",
        ),
    ],
)
def test_sizes_that_cannot_be_are_refused_in_one_sentence(
    addition, overrides, sentence
):
    with pytest.raises(ValueError, match=sentence) as caught:
        addition(*overrides)
    assert "\n" not in str(caught.value)
