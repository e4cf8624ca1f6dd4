from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from nnlab.data.xor import TruthTable, truth_table

YAML = Path(__file__).parents[2] / "conf/data/xor.yaml"
NUMBERS: dict = {**OmegaConf.to_container(OmegaConf.load(YAML)), "seed": 0}
assert NUMBERS.pop("_target_") == f"{TruthTable.__module__}.TruthTable"

# truths of 00, 01, 10, 11, written by hand
TWO_BITS = {
    "and": [0, 0, 0, 1],
    "or": [0, 1, 1, 1],
    "nand": [1, 1, 1, 0],
    "nor": [1, 0, 0, 0],
    "xor": [0, 1, 1, 0],
    "parity": [0, 1, 1, 0],
    "majority": [0, 0, 0, 1],
}
# of 000, 001, … 111
THREE_BITS = {
    "and": [0, 0, 0, 0, 0, 0, 0, 1],
    "or": [0, 1, 1, 1, 1, 1, 1, 1],
    "nand": [1, 1, 1, 1, 1, 1, 1, 0],
    "nor": [1, 0, 0, 0, 0, 0, 0, 0],
    "xor": [0, 1, 1, 0, 1, 0, 0, 1],
    "parity": [0, 1, 1, 0, 1, 0, 0, 1],
    "majority": [0, 0, 0, 1, 0, 1, 1, 1],
}


def make(**keywords) -> TruthTable:
    numbers = {
        "batch_size": 4,
        "evaluation_batch_size": 1000,
        "repeats": 100,
        "seed": 0,
    }
    return TruthTable(**{"function": "xor", "bits": None, **numbers, **keywords})


@pytest.mark.parametrize(("function", "truths"), TWO_BITS.items())
def test_functions_of_two_bits(function, truths):
    rows, labels = truth_table(function, 2)
    assert rows.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert labels.tolist() == truths


@pytest.mark.parametrize(("function", "truths"), THREE_BITS.items())
def test_functions_of_three_bits(function, truths):
    rows, labels = truth_table(function, 3)
    assert rows.tolist()[:3] == [[0, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert rows.tolist()[-1] == [1, 1, 1]
    assert labels.tolist() == truths


def test_not_turns_its_one_bit_round():
    rows, labels = make(function="not").load().train
    assert rows.tolist() == [[0], [1]]
    assert labels.tolist() == [1, 0]


def test_the_three_input_table_is_that_of_the_lesson():
    rows, labels = make(function="three_input_table").load().train
    assert rows.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert labels.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("bits", [2, 5, 10, 16])
def test_parity_changes_with_every_bit_that_does(bits):
    rows, labels = truth_table("parity", bits)
    value = (rows.long() * 2 ** torch.arange(bits - 1, -1, -1)).sum(dim=1)
    assert value.tolist() == list(range(2**bits))
    assert labels.tolist() == [row.bit_count() % 2 for row in range(2**bits)]


@pytest.mark.parametrize(
    ("function", "bits"),
    [("xor", 2), ("and", 2), ("not", 1), ("majority", 3), ("three_input_table", 3)],
)
def test_a_function_has_its_own_number_of_bits(function, bits):
    data = make(function=function)
    assert data.facts() == {"input_size": bits, "classes": 2, "outputs": 1}
    assert data.load().train[0].shape[1] == bits
    assert make(function=function, bits=bits).bits == bits


@pytest.mark.parametrize(
    ("function", "bits", "remedy"),
    [
        ("not", 2, "data.function=not needs data.bits=1"),
        ("three_input_table", 4, "needs data.bits=3"),
        ("and", 1, "data.function=and needs more than data.bits=1; give 2 to 16"),
    ],
)
def test_bits_that_do_not_fit_the_function_are_refused(function, bits, remedy):
    with pytest.raises(ValueError, match=remedy):
        make(function=function, bits=bits)


def test_a_model_is_given_floats_and_whole_labels():
    data = make()
    bits, truth = data.prepare(next(iter(data.train_dataloader())))
    assert (bits.dtype, truth.dtype) == (torch.float32, torch.int64)
    assert (bits.shape, truth.shape) == ((4, 2), (4,))


def test_an_epoch_is_many_batches_of_the_whole_table():
    batches = list(make().train_dataloader())
    assert len(batches) == 100
    for bits, _ in batches:
        assert sorted(bits.tolist()) == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_nothing_is_held_out_because_there_is_nothing_else():
    splits = make().load()
    assert torch.equal(splits.train[0], splits.validation[0])
    assert torch.equal(splits.train[0], splits.test[0])
