"""A few jobs stand for all where each is checked."""

import pytest

from nnlab.compose import Composer
from nnlab.sweep.sample import sample_jobs, telling


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


def test_each_combination_of_choices_is_there_and_each_value_in_words(composer):
    words = ["model=mlp,lenet5", "data=xor,digits", "seed=1", "monitor.mode=min,max,x"]
    jobs = list(sample_jobs(words, composer))
    assert {tuple(job[:2]) for job in jobs} == {
        (f"model={model}", f"data={data}")
        for model in ("mlp", "lenet5")
        for data in ("xor", "digits")
    }
    seen = {word for job in jobs for word in job}
    assert {f"monitor.mode={mode}" for mode in ("min", "max", "x")} <= seen
    assert all(len(job) == 4 for job in jobs)


def test_a_hundred_seeds_are_no_hundred_ways_to_go_wrong(composer):
    jobs = list(sample_jobs(["seed=range(0,100)"], composer))
    assert jobs == [["seed=0"], ["seed=99"]]


def test_of_numbers_the_extremes_of_each_kind_are_kept():
    assert telling(["3", "1", "2.5", "9", "0.5", "4", "-7"]) == [
        *("3", "2.5", "9", "0.5", "-7")
    ]
    assert telling(["1", "abc", "nan", "2", "1"]) == ["1", "abc", "nan", "2"]


def test_of_an_interval_the_ends_are_tried(composer):
    words = ["optimizer.lr=interval(0,1)", "seed=2"]
    assert [set(job) for job in sample_jobs(words, composer)] == [
        {"optimizer.lr=0", "seed=2"},
        {"optimizer.lr=1", "seed=2"},
    ]
