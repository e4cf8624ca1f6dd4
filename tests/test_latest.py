"""`transfer.run=latest` is the folder that was the latest when the run began."""

from pathlib import Path

import yaml

QUICK = ("trainer.max_epochs=1", "data.repeats=1", "pictures=0", "logger=[]")


def source_of(folder: str) -> str:
    config = yaml.safe_load(Path(folder, "config.yaml").read_text())
    return config["transfer"]["run"]


def test_the_latest_run_is_named_and_a_run_that_goes_on_keeps_it(nnlab):
    assert nnlab(*QUICK, "folder=outputs/first").status == 0
    answer = nnlab(*QUICK, "transfer.run=latest", "folder=outputs/second")
    assert answer.status == 0, answer.err
    assert "nnlab: transfer.run=outputs/first\n" in answer.err
    assert "the body of outputs/first" in answer.out
    assert source_of("outputs/second") == "outputs/first"
    words = Path("outputs/second/overrides.txt").read_text()
    assert "transfer.run=outputs/first\n" in words
    answer = nnlab("resume=latest", "trainer.max_epochs=2")
    assert answer.status == 0, answer.err
    assert source_of("outputs/second") == "outputs/first"


def test_without_a_run_there_is_no_latest(refused):
    refused("transfer.run=latest", "transfer.run=latest finds no run")


def test_a_sweep_names_the_folder(nnlab, tmp_path):
    assert nnlab(*QUICK, "folder=outputs/first").status == 0
    answer = nnlab("-m", "seed=1,2", *QUICK, "transfer.run=latest")
    assert answer.status == 2
    assert "name the folder: transfer.run=outputs/first\n" in answer.err
    assert not (tmp_path / "outputs/sweep").exists()
