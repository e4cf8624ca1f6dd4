"""Experiments beside their references: written, read again, checked."""

import json
from pathlib import Path

import pytest
import torch
import yaml

from nnlab.compare.published import Row, as_markdown, rows_in
from nnlab.compare.reproduce import referenced, reproduce, rows_of
from nnlab.errors import UserError
from nnlab.report.past_runs import past_runs

ROW = Row(
    "a", "test/accuracy", None, 0.9, True, {1: 0.95, 3: 0.89, 2: 0.91}, 61.0, True, 7.0
)


def made(name, seed, value, *words, experiment="mlp_xor"):
    folder = Path("outputs") / name
    folder.mkdir(parents=True)
    reference = {"metric": "test/accuracy", "published": 1.0, "target": 0.95}
    reference |= {"better": "higher", "source": "x"}
    config = {"seed": seed, "choices": {}, "reference": reference, "model": {}}
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, "data": {}}))
    said = [f"experiment={experiment}", f"seed={seed}", *words]
    (folder / "overrides.txt").write_text("\n".join(said))
    (folder / "status.json").write_text('{"status": "complete"}')
    result = {"experiment": experiment, "metrics": {"test/accuracy": value}}
    times = {"seconds": 2.0, "processor_seconds": float(seed)}
    (folder / "result.json").write_text(json.dumps({**result, **times}))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_what_is_written_is_read_again():
    assert rows_in(as_markdown({"a": ROW})) == {"a": ROW}
    assert rows_in("# another page") == {}


def test_a_row_says_the_median_and_every_seed():
    text = as_markdown({"a": ROW})
    cells = "`a` | test/accuracy | not given | ≥ 90.00 % | 91.00 % | "
    assert f"| {cells}1: 95.00 %, 3: 89.00 %, 2: 91.00 % | 7.0 s | 1 min 1 s |" in text


def test_only_runs_of_the_experiments_own_settings_count(here):
    made("a", 1, 0.9)
    made("b", 2, 0.97, "pictures=0", "folder=x")
    made("c", 3, 1.0, "optimizer.lr=9")
    made("d", 4, 1.0, experiment="mlp_mnist")
    rows = rows_of(past_runs(Path("outputs")), ["mlp_xor", "lenet5_mnist"])
    assert list(rows) == ["mlp_xor"]
    assert rows["mlp_xor"].values == {1: 0.9, 2: 0.97}
    assert rows["mlp_xor"].processor_seconds == 1.5  # the median
    assert not rows["mlp_xor"].met  # the median, 0.935


def test_rows_of_other_experiments_stay(here, nnlab):
    Path("docs").mkdir()
    Path("docs/reproduced.md").write_text(as_markdown({"a": ROW}))
    made("x", 1, 1.0)
    answer = nnlab("reproduce", "mlp_xor", "run=outputs/*")
    assert answer.status == 0, answer.err
    rows = rows_in(Path("docs/reproduced.md").read_text())
    assert sorted(rows) == ["a", "mlp_xor"]
    assert rows["mlp_xor"].met


CHECKED = {1.0: 0, 0.96: 0, 0.94: 1, 0.5: 1}


@pytest.mark.parametrize(("value", "status"), CHECKED.items())
def test_a_check_notices_another_result_and_writes_nothing(value, status, here, nnlab):
    made("x", 1, 1.0)
    assert nnlab("reproduce", "mlp_xor", "run=outputs/x").status == 0
    before = Path("docs/reproduced.md").read_text()
    made("y", 1, value)
    answer = nnlab("reproduce", "mlp_xor", "run=outputs/y", "--check")
    assert answer.status == status
    assert answer.err.count("\n") == status
    assert Path("docs/reproduced.md").read_text() == before


def test_all_experiments_with_a_reference_are_known():
    known = referenced()
    assert {"lenet5_mnist", "mlp_xor", "gan_mnist"} <= set(known)
    assert "shakespeare_notes" not in known  # nobody published one


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_names_what_cannot_run_here_is_left_out(monkeypatch, capsys):
    made = []
    monkeypatch.setattr(
        "nnlab.compare.reproduce.sweep", lambda words, _: made.extend(words)
    )
    with pytest.raises(UserError, match="no complete run"):
        reproduce([])
    [names] = (word for word in made if word.startswith("experiment="))
    assert "mlp_xor" in names
    assert "shakespeare_lecture" not in names
    said = capsys.readouterr().err
    assert "experiment=shakespeare_lecture is left out: trainer.accelerator=gpu" in said


def test_an_experiment_is_run_and_its_row_written(nnlab):
    answer = nnlab("reproduce", "perceptron_and", "seed=1,2")
    assert answer.status == 0, answer.err
    row = rows_in(Path("docs/reproduced.md").read_text())["perceptron_and"]
    assert row.values == {1: 1.0, 2: 1.0}


MISTAKES = {
    "reproduce lenet5_mnis": "is called 'lenet5_mnis'; did you mean lenet5_mnist",
    "reproduce mlp_xor --chek": "reproduce has --check, not --chek",
    "reproduce mlp_xor run=nowhere": "run=nowhere is no run's folder",
    "reproduce mlp_xor lr=3": "reproduce takes run=, seed=, to=",
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_gets_one_sentence(words, said, refused):
    refused(words, said)
