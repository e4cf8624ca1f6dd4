"""A run's folder taken up again: what may change, and what is refused."""

from pathlib import Path

import pytest
import yaml

from nnlab.cli import main

QUICK = ("data.repeats=2", "pictures=0", "logger=[]", "trainer.log_every_n_steps=1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "finished"
    words = (*QUICK, "trainer.max_epochs=2", "data.function=and", f"folder={folder}")
    assert main(words) == 0
    return folder


def test_what_a_continued_run_changes_is_remembered(nnlab):
    assert nnlab(*QUICK, "trainer.max_epochs=1", "folder=run").status == 0
    answer = nnlab("resume=run", "trainer.max_epochs=3", "pictures=1")
    assert answer.status == 0, answer.err
    config = yaml.safe_load(Path("run/config.yaml").read_text())
    assert config["trainer"]["max_epochs"] == 3
    assert config["pictures"] == 1
    overrides = Path("run/overrides.txt").read_text().splitlines()
    assert "trainer.max_epochs=3" in overrides
    assert "trainer.max_epochs=1" not in overrides
    assert "complete after 3 epochs" in nnlab("resume=run").err


def test_a_run_of_steps_is_complete_after_its_steps(nnlab):
    steps = ("trainer.max_steps=3", "trainer.max_epochs=-1")
    assert nnlab(*QUICK, *steps, "folder=run").status == 0
    assert "add trainer.max_steps=6" in nnlab("resume=run").err
    assert nnlab("resume=run", "trainer.max_steps=5").status == 0


REFUSED = {
    "trainer.max_epoch=9": "did you mean max_epochs",
    "trainer.max_epochs.more=9": "trainer takes one value",
    "pictures.more=9": "pictures takes one value",
    "model.dropout=0.5": "would make another run",
    "threads=0": "threads=0 must be",
    "trainer.max_epochs=many": "max_epochs",
    "trainer.max_epochs": "a setting is written key=value",
}


@pytest.mark.parametrize(("word", "said"), REFUSED.items(), ids=REFUSED)
def test_a_mistake_changes_nothing_of_a_run(word, said, finished, nnlab):
    before = {f: f.read_bytes() for f in finished.rglob("*") if f.is_file()}
    answer = nnlab(f"resume={finished}", word)
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert before == {f: f.read_bytes() for f in finished.rglob("*") if f.is_file()}


def test_a_test_takes_a_folder_or_a_file_and_the_last_weights(finished, nnlab):
    best = nnlab("test", f"run={finished}")
    last = nnlab("test", f"run={finished}", "checkpoint=last")
    file = nnlab("test", f"run={finished}/checkpoints/last.ckpt")
    assert best.status == last.status == file.status == 0
    assert last.out.splitlines()[:4] == file.out.splitlines()[:4]
    other = nnlab("test", f"run={finished}", "data=xor", "data.function=nand")
    assert other.status == 0
    assert other.out.splitlines()[:4] != best.out.splitlines()[:4]


WRONG_TESTS = {
    "checkpoint=first": "must be best or last",
    "optimizer.lr=1": "means nothing to test",
    "data=xro": "did you mean xor",
    "data.functoin=and": "did you mean data.function",
    "data.function=nothing": "data.function=nothing",
}


@pytest.mark.parametrize(("word", "said"), WRONG_TESTS.items(), ids=WRONG_TESTS)
def test_a_wrong_test_is_refused_in_one_sentence(word, said, finished, nnlab):
    answer = nnlab("test", f"run={finished}", word)
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        ("model=mlp", "data.classes=[5,6]", "learned to tell 0, 1 apart, and the cl"),
        ("model=mlp", "data=digits_pairs", "data=digits_pairs are not for the mlp of"),
    ],
)
def test_data_that_a_run_cannot_be_tested_on_are_refused(model, data, said, nnlab):
    digits = ("data=digits", "pictures=0", "logger=[]", "trainer.max_epochs=1")
    classes = ("data.classes=[0,1]",) if "classes" in data else ()
    assert nnlab(model, *digits, *classes, "folder=run").status == 0
    answer = nnlab("test", "run=run", data)
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_a_test_names_the_very_file_whose_weights_it_took(nnlab, tmp_path):
    short = ("trainer.max_epochs=1", "data.repeats=1", "pictures=0", "folder=run")
    assert nnlab(*short).status == 0
    assert "run/checkpoints/best.ckpt" in nnlab("test", "run=run").out
    (tmp_path / "run/checkpoints/best.ckpt").unlink()
    assert "run/checkpoints/last.ckpt" in nnlab("test", "run=run").out


def test_the_latest_run_that_matches_is_continued(nnlab):
    for place, word in (("a", "seed=1"), ("b", "seed=2"), ("c", "model=perceptron")):
        made = (*QUICK, "trainer.max_epochs=1", word, f"folder=outputs/{place}")
        assert nnlab(*made).status == 0
    more = "trainer.max_epochs=2"
    # The first match goes on, and is the latest from then on.
    for words, place in (
        (["seed=1"], "a"),
        (["model=mlp", "output_dir=outputs"], "a"),
        (["model=mlp", "optimizer.lr=0.001", "seed=2"], "b"),
        ([], "b"),
        (["model=perceptron", "data=xor"], "c"),
    ):
        answer = nnlab("resume=latest", *words, more)
        assert answer.status in (0, 2), answer.err
        assert f"outputs/{place}" in answer.out + answer.err, words
    assert "complete after 2 epochs" in nnlab("resume=latest", "model=mlp").err


def test_where_no_run_matches_the_latest_is_none(nnlab):
    answer = nnlab("resume=latest", "model=gpt")
    assert answer.status == 2
    assert "no run of model=gpt below outputs" in answer.err
    assert not Path("outputs").exists()
