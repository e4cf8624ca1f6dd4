"""A run of an earlier nnlab: asked, it takes what is new from the YAML, and says so."""

from pathlib import Path

import pytest
import torch
import yaml

from nnlab.checkpoint import read_checkpoint
from nnlab.compose import Composer, plain
from nnlab.errors import UserError
from nnlab.older import SECTIONS, completed, missing, refuse_older

RUN = ("model=lenet5", "data=digits", "trainer.max_steps=1", "pictures=0", "logger=[]")


@pytest.fixture
def config():
    composed = plain(Composer().compose(["model=lenet5", "data=digits"]))
    composed["model"]["classes"] = 10
    return composed


def without(config, *paths):
    for path in paths:
        section, name = path.split(".")
        del config[section][name]
    return config


@pytest.fixture
def run(nnlab, tmp_path):
    assert nnlab(*RUN, "folder=run").status == 0
    return tmp_path / "run"


def aged(run: Path, *paths: str) -> None:
    """Make a run's files what a version without these keys would have written."""
    for file in (run / "checkpoints").glob("*.ckpt"):
        content = read_checkpoint(file)
        without(content["nnlab"]["config"], *paths)
        torch.save(content, file)
    file = run / "config.yaml"
    file.write_text(yaml.safe_dump(without(yaml.safe_load(file.read_text()), *paths)))


def test_a_config_of_today_lacks_nothing(config, capsys):
    assert completed(config, "run=a") is config
    assert [*missing(config, [], SECTIONS)] == []
    refuse_older(config, "resume=a")
    assert capsys.readouterr().err == ""


def test_what_is_lacking_is_taken_from_today_and_said(config, capsys):
    before = without(config, "data.classes", "data.shift", "optimizer.lr")
    whole = completed(before, "run=a")
    assert whole["data"]["classes"] is None
    assert whole["data"]["shift"] == 0
    assert whole["optimizer"]["lr"] == plain(Composer().compose([]))["optimizer"]["lr"]
    assert "classes" not in before["data"]  # as it was
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "run=a is of an earlier nnlab" in said
    assert "data.classes=null" in said
    assert "data.shift=0" in said


def test_only_the_sections_that_are_needed_are_looked_at(config, capsys):
    completed(without(config, "data.classes"), "run=a", ("model",))
    assert capsys.readouterr().err == ""


def test_what_the_data_say_has_no_value_of_today(config):
    with pytest.raises(UserError, match=r"run=a .* lacks model\.classes, .* anew"):
        completed(without(config, "model.classes"), "run=a")


def test_a_run_that_would_go_on_is_refused_with_what_to_add(config):
    with pytest.raises(UserError, match=r"lacks data\.shift.* if it was 0, as today"):
        refuse_older(without(config, "data.shift"), "resume=a")


def test_an_object_within_an_object_is_looked_into(capsys):
    config = plain(Composer().compose(["model=siamese", "data=digits_pairs"]))
    del config["data"]["source"]["shift"]
    whole = completed(config, "run=a", ("data",))
    assert whole["data"]["source"]["shift"] == 0
    assert "data.source.shift=0" in capsys.readouterr().err


def test_an_older_run_is_tested_and_predicts_as_before(run, nnlab):
    words = ("predict", "run=run", "input=picture.png")
    from PIL import Image

    Image.new("L", (28, 28)).save(run.parent / "picture.png")
    before = nnlab(*words).out, nnlab("test", "run=run").out
    aged(run, "data.classes", "data.shuffles_pixels")
    for command, said in zip((words, ("test", "run=run")), before, strict=True):
        answer = nnlab(*command)
        assert answer.status == 0, answer.err
        assert answer.out == said
        assert "run=run is of an earlier nnlab" in answer.err


def test_an_older_run_is_not_continued_in_silence(run, nnlab):
    aged(run, "data.classes")
    before = (run / "config.yaml").read_bytes()
    answer = nnlab("resume=run", "trainer.max_steps=2")
    assert answer.status == 2
    assert "lacks data.classes" in answer.err
    assert (run / "config.yaml").read_bytes() == before
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["data"]["classes"] = None
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    assert nnlab("resume=run", "trainer.max_steps=2").status == 0
