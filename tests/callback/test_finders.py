"""What is tried on copies before a run: starts, and sizes of batches."""

import json
from pathlib import Path

import pytest
import torch
from nnlab.ext.callback import batch_size_finder
from nnlab.ext.callback.batch_size_finder import BatchSizeFinder
from nnlab.ext.callback.trial import Trial

from .conftest import checkpoint, same

SHORT = ("data.repeats=5", "trainer.max_epochs=2", "pictures=0", "logger=[]")
SMALL = "callback.batch_size_finder.steps=1"


def test_the_start_that_learned_most_is_trained_from_its_beginning(nnlab, monkeypatch):
    taken = []

    def validated(trial, trainer, learner):
        taken.append({n: w.clone() for n, w in trial.learner.state_dict().items()})
        return [0.3, 0.2, float("nan"), 0.1][len(taken) - 1]

    begun = []
    monkeypatch.setattr("nnlab.ext.callback.random_restart._validated", validated)
    monkeypatch.setattr(
        "nnlab.record.Record.on_train_batch_start",
        lambda self, trainer, module, batch, index: begun.append(
            {n: w.clone() for n, w in module.state_dict().items()}
        ),
    )
    words = ("callback=[random_restart]", "callback.random_restart.starts=4")
    answer = nnlab(*SHORT, *words, "callback.random_restart.steps=0", "folder=run")
    assert answer.status == 2, "a trial has at least one step"
    zero = "optimizer.lr=1e-12"  # the trial leaves the weights where they begin
    answer = nnlab(
        *SHORT, *words, zero, "callback.random_restart.steps=1", "folder=run"
    )
    assert answer.status == 0, answer.err
    assert "start 4 is the best of 0.3, 0.2, nan, 0.1" in answer.out
    for name, weight in begun[0].items():
        torch.testing.assert_close(weight, taken[3][name], rtol=0, atol=1e-9)
        assert not torch.allclose(weight, taken[1][name])
    [picture] = Path("run/figures/over_training").glob("random_restart_*.png")
    assert picture.name == "random_restart_00000000.png"


@pytest.mark.slow
def test_a_start_that_is_stuck_is_left(nnlab):
    # XOR by two hidden units, as in 1986: this seed alone ends where two of the four
    # cannot be told apart.
    words = ("experiment=mlp_xor_1986", "seed=12", "pictures=0", "logger=[]")
    trial = ("callback=[random_restart]", "callback.random_restart.steps=2000")
    results = []
    for more in ((), trial):
        answer = nnlab(*words, *more, f"folder=run{len(more)}")
        assert answer.status == 0, answer.err
        text = Path(f"run{len(more)}/result.json").read_text()
        results.append(json.loads(text)["metrics"]["test/accuracy"])
    assert results[0] < 1
    assert results[1] == 1


def test_one_start_is_no_choice(nnlab):
    answer = nnlab("callback=[random_restart]", "callback.random_restart.starts=1")
    assert answer.status == 2
    assert "starts=1 is no choice; give at least 2" in answer.err


def test_the_largest_batch_that_fits_is_found_where_memory_ends(nnlab, monkeypatch):
    step = Trial.step

    def limited(self, batch):
        if len(batch[0]) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate …")
        return step(self, batch)

    monkeypatch.setattr(Trial, "step", limited)
    monkeypatch.setattr(
        BatchSizeFinder,
        "_rate",
        lambda self, trial, batch: (
            limited(trial, batch)
            and {1: 10.0, 2: 19.0, 4: 30.0, 8: 31.0}[len(batch[0])]
        ),
    )
    answer = nnlab(*SHORT, "callback=[batch_size_finder]", SMALL, "folder=run")
    assert answer.status == 0, answer.err
    said = "8 fits (memory ends there), and 4 is about as fast as any"
    assert f"{said}: try data.batch_size=4" in answer.out
    assert checkpoint()["global_step"] == 2 * 5, "nothing is changed"
    assert nnlab(*SHORT, "folder=without").status == 0
    assert same(checkpoint()["state_dict"], checkpoint("without")["state_dict"])


@pytest.mark.slow
def test_applied_the_size_decides_the_steps_and_a_continued_run_keeps_it(
    nnlab, monkeypatch
):
    rates = {1: 10.0, 2: 30.0, 4: 30.0, 8: 30.0, 16: 30.0}
    monkeypatch.setattr(
        BatchSizeFinder, "_rate", lambda self, trial, batch: rates[len(batch[0])]
    )
    words = ("callback=[batch_size_finder]", "callback.batch_size_finder.apply=true")
    assert nnlab(*SHORT, *words, "folder=run").status == 0
    assert checkpoint()["global_step"] == 2 * 10, "20 examples in twos"
    assert json.loads(Path("run/batch_size.json").read_text())["fast"] == 2
    rates.update(dict.fromkeys(rates, 0.0))  # it would find another one now
    answer = nnlab("resume=run", "trainer.max_epochs=3")
    assert answer.status == 0, answer.err
    assert checkpoint()["global_step"] == 3 * 10


def test_other_failures_are_not_taken_for_a_lack_of_memory(monkeypatch):
    assert not batch_size_finder.is_out_of_memory(RuntimeError("shapes do not match"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("smallest=9", "largest=3"), "smallest=9 is more than"),
        (("steps=0",), "greater than or equal to 1"),
    ],
)
def test_wrong_uses_are_one_sentence(words, said, nnlab):
    words = [f"callback.batch_size_finder.{word}" for word in words]
    answer = nnlab("callback=[batch_size_finder]", *words)
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
