"""The range test finds the steep part, and leaves no trace of itself."""

from pathlib import Path

import numpy as np
import pytest
from nnlab.ext.callback.lr_finder import suggested

from .conftest import STATEFUL, checkpoint, rows, same

SHORT = ("data.repeats=5", "trainer.max_epochs=2", "pictures=0", "logger=[]")
QUICK = (
    *("callback=[lr_finder]", "callback.lr_finder.steps=60"),
    "callback.lr_finder.smallest=1e-4",
)


def test_suggested_is_where_the_loss_falls_most_steeply():
    rates = np.geomspace(1e-6, 1, 61)
    middle = np.log(1e-3)
    losses = 1 / (1 + np.exp(2 * (np.log(rates) - middle)))  # steepest in its middle
    assert suggested(rates, [*losses]) == pytest.approx(1e-3, rel=1e-6)


def test_what_comes_after_the_least_loss_does_not_count():
    rates = np.geomspace(1e-4, 1, 9)
    losses = [1.0, 0.98, 0.9, 0.5, 0.45, 0.44, 3.0, 0.6, 9.0]
    assert suggested(rates, losses) == pytest.approx(rates[3], rel=2.2)
    assert suggested(rates, losses) < rates[5]


@pytest.mark.parametrize("losses", [[], [1.0], [1.0, 2.0, 3.0, 4.0]])
def test_nothing_is_suggested_where_nothing_falls(losses):
    assert suggested(np.geomspace(1e-4, 1, 9), losses) is None


def test_a_run_is_the_same_as_without_it_and_has_its_picture(nnlab):
    dropout = "model.dropout=0.3"
    answer = nnlab(*SHORT, *QUICK, dropout, "folder=with")
    assert answer.status == 0, answer.err
    assert nnlab(*SHORT, dropout, "folder=without").status == 0
    for key in ("state_dict", "optimizer_states", "lr_schedulers", "loops"):
        assert same(checkpoint("with")[key], checkpoint("without")[key])
    assert rows("with") == rows("without")
    assert Path("with/figures/over_training/lr_finder_00000000.png").is_file()
    assert "the loss falls most steeply at" in answer.out
    assert "try optimizer.lr=" in answer.out


@pytest.mark.slow
def test_applied_its_rate_takes_the_schedules_shape(nnlab, killed_and_continued):
    words = (*QUICK, "callback.lr_finder.apply=true")
    same_bits = killed_and_continued(*words, at_batch=17)
    assert same_bits, "a run that continues takes the same rate, without a new test"
    content = checkpoint("calm")
    rate = content["callbacks"]["LRFinder"]["suggestion"]
    assert nnlab(*STATEFUL, "folder=plain").status == 0
    own = content["nnlab"]["config"]["optimizer"]["lr"]
    found, plain = (
        [row["learning_rate"] for row in rows(folder) if "learning_rate" in row]
        for folder in ("calm", "plain")
    )
    assert found == pytest.approx([rate / own * value for value in plain])
    assert rate != own


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("smallest=1", "largest=0.1"), "must be less than callback.lr_finder.largest"),
        (("steps=3",), "callback.lr_finder.steps=3 must be at least 10"),
    ],
)
def test_wrong_uses_are_one_sentence(words, said, nnlab):
    answer = nnlab(
        "callback=[lr_finder]", *(f"callback.lr_finder.{word}" for word in words)
    )
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
