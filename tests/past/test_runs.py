"""Runs are found by what they are, and sorted by what came out."""

import json
import os
from pathlib import Path

import pytest
import yaml

SETTINGS = {
    "a": ("mlp", 1, "complete", 0.25, 3.0),
    "b": ("mlp", 2, "failed", None, None),
    "c": ("gpt", 1, "complete", 0.5, 2.0),
}


@pytest.fixture
def outputs(tmp_path) -> Path:
    for age, (name, facts) in enumerate(SETTINGS.items()):
        model, seed, status, loss, seconds = facts
        folder = tmp_path / "outputs" / name
        folder.mkdir(parents=True)
        config = {"seed": seed, "choices": {"model": model}, "optimizer": {"lr": 0.1}}
        config |= {"model": {"width": 3}, "data": {"size": 4}}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        (folder / "status.json").write_text(json.dumps({"status": status}))
        os.utime(folder / "config.yaml", (100 + age, 100 + age))
        if loss is not None:
            result = {"metrics": {"test/loss": loss}, "seconds": seconds, "steps": 7}
            (folder / "result.json").write_text(json.dumps(result))
    (tmp_path / "outputs/a/checkpoints").mkdir()
    (tmp_path / "outputs/a/checkpoints/config.yaml").write_text("choices: {}")
    (tmp_path / "outputs/no_run").mkdir()
    (tmp_path / "outputs/no_run/config.yaml").write_text("[")
    return tmp_path / "outputs"


CHOSEN = {
    "": "cba",
    "status=complete": "ca",
    "model=mlp": "ba",
    "model=mlp,gpt seed=1": "ca",
    "optimizer.lr=0.1 model.width=3 seed=2": "b",
    "sort=test/loss": "acb",
    "sort=-test/loss": "cab",
    "sort=seconds status=complete": "ca",
    "below=outputs/a": "a",
}


@pytest.mark.parametrize(("words", "wanted"), CHOSEN.items(), ids=CHOSEN)
def test_runs_are_chosen_and_sorted(words, wanted, outputs, nnlab):
    answer = nnlab("runs", *words.split())
    assert answer.status == 0, answer.err
    rows = [x.split() for x in answer.out.splitlines() if "outputs/" in x]
    assert "".join(row[-1].rpartition("/")[2] for row in rows) == wanted


def test_a_row_says_seed_status_result_and_time(outputs, nnlab):
    row = nnlab("runs", "model=gpt").out.splitlines()[1]
    assert row.split() == [
        *("1", "complete", "test/loss", "0.5", "2.0", "s", "outputs/c"),
    ]


MISTAKES = {
    "status=broken": "no status 'broken'; there is complete",
    "sort=test/los": "no run has sort=test/los; did you mean test/loss?",
    "model=lenet5": "there is no run of model=lenet5 below outputs",
    "below=nowhere": "below=nowhere is no folder",
    "failed": "failed",
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_gets_one_sentence(words, said, outputs, nnlab):
    answer = nnlab("runs", *words.split())
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
