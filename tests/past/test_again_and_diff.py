"""A run made again has the same bits, or it is said which not; two are told apart."""

import json
from pathlib import Path

import pytest
import torch

from nnlab.cli import main
from nnlab.past.diff import differences
from nnlab.past.rerun import bit_differences
from nnlab.report.run_reading import RunReading

QUICK = ("trainer.max_epochs=2", "data.repeats=3", "pictures=0", "logger=[]")


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "finished"
    assert main([*QUICK, "model.dropout=0.2", f"folder={folder}"]) == 0
    return folder


def test_a_run_made_again_has_the_same_bits(finished, nnlab):
    answer = nnlab("rerun", f"run={finished}", "folder=again")
    assert answer.status == 0, answer.err
    assert "the same bits: 4 tensors of best and last" in answer.out
    states = [
        torch.load(folder / "checkpoints/last.ckpt")["state_dict"]
        for folder in (finished, Path("again"))
    ]
    assert all(torch.equal(weight, states[1][k]) for k, weight in states[0].items())


def test_one_bit_of_a_weight_and_a_metric_is_noticed(finished, nnlab):
    assert nnlab("rerun", f"run={finished}", "folder=again").status == 0
    file = Path("again/checkpoints/best.ckpt")
    state = torch.load(file)
    name = next(iter(state["state_dict"]))
    weight = state["state_dict"][name]
    weight.view(torch.int32).view(-1)[0] ^= 1
    torch.save(state, file)
    result = json.loads(Path("again/result.json").read_text())
    result["metrics"]["test/loss"] += 1e-12
    Path("again/result.json").write_text(json.dumps(result))
    found = list(bit_differences(RunReading(finished), RunReading(Path("again"))))
    assert [said.split()[0] for said in found] == ["test/loss:", "best.ckpt:"]
    assert f"{name} differs by" in found[1]


def test_two_runs_differ_in_what_was_changed(finished, nnlab):
    words = (*QUICK, "model.dropout=0.2", "optimizer.lr=0.5", "folder=other")
    assert nnlab(*words).status == 0
    answer = nnlab("diff", f"run={finished}", "run=other")
    assert answer.status == 0, answer.err
    settings = answer.out.partition("results")[0]
    assert [x.split() for x in settings.splitlines() if "optimizer" in x] == [
        ["optimizer.lr", "0.001", "0.5"]
    ]
    assert "model." not in settings
    assert "test/loss" in answer.out
    same = nnlab("diff", f"run={finished}", f"run={finished}")
    assert "no difference" in same.out


def test_differences_are_those_of_the_leaves():
    one = {"a": {"b": 1, "c": [1]}, "folder": "x", "d": {}}
    other = {"a": {"b": 2, "c": [1]}, "folder": "y", "e": None}
    assert differences(one, other) == {"a.b": (1, 2), "d": ({}, "-"), "e": ("-", None)}


MISTAKES = {
    "rerun": "rerun needs a run",
    "rerun run=nowhere": "there is no folder nowhere",
    "rerun run=. ": ". is no run's folder",
    "rerun run=x seed=1": "rerun takes run=, folder=, not seed=",
    "diff run=x": "diff needs two runs",
    "diff run=x run=y": "there is no folder x",
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_gets_one_sentence(words, said, refused):
    refused(words, said)


# Two optimizers, a recurrent network, text: each has random numbers of its own.
FEW = ("trainer.limit_train_batches=2",)
KINDS = {
    "mlp": (),
    "lenet5": ("data=digits", "trainer.limit_train_batches=3"),
    "lstm_adder": ("trainer.limit_train_batches=5",),
    "gan": ("model.judged=100", "model.judged_in_training=100", "data=digits", *FEW),
    "gpt": ("data=pydocs", "trainer.limit_train_batches=2", "model.dropout=0.1"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("model", "words"), KINDS.items(), ids=KINDS)
def test_every_kind_of_run_is_made_again_to_the_bit(model, words, nnlab):
    short = ("trainer.max_epochs=1", "pictures=0", "logger=[]")
    run = nnlab(f"model={model}", *words, *short, "folder=once")
    assert run.status == 0, run.err
    answer = nnlab("rerun", "run=once", "folder=twice")
    assert answer.status == 0, answer.out
    assert "the same bits" in answer.out
