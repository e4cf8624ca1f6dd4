"""Of a model's texts a terminal shows what fits its lines; the file has all of it."""

import json
import time

import pytest

from nnlab import portrait
from nnlab.checkpoint import read_checkpoint
from nnlab.portrait import _cut


@pytest.mark.parametrize("columns", [60, 80])
def test_a_long_line_is_cut_and_says_so(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert _cut("short") == "short"
    assert _cut("x" * (columns - 4)) == "x" * (columns - 4)
    cut = _cut("x" * 20_000)
    assert len(cut) == columns - 4
    assert cut.endswith("x…")


def test_pictures_are_no_part_of_the_seconds_of_training(nnlab, tmp_path, monkeypatch):
    draw, moments = portrait.draw, []

    def slowly(learner, batch, folder, step):
        if step is not None:  # while training
            time.sleep(1)
            moments.append(time.monotonic())
        return draw(learner, batch, folder, step)

    monkeypatch.setattr(portrait, "draw", slowly)
    words = ("model=mlp", "data.repeats=2", "trainer.max_epochs=3", "pictures=3")
    assert nnlab(*words, "logger=[]", "folder=run").status == 0
    assert len(moments) == 2  # of three moments two lie in one epoch
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert 0 < result["seconds"] < moments[-1] - moments[0]
    last = read_checkpoint(tmp_path / "run/checkpoints/last.ckpt")
    clock, _ = last["callbacks"]["Checkpoints"]["spent_seconds"]
    assert 0 < clock < 2


def test_a_text_of_thousands_of_bits_is_whole_in_its_file(nnlab, tmp_path):
    answer = nnlab(
        *("model=lstm_adder", "data.bits=600", "data.test_bits=[]", "folder=run"),
        *("data.train_pairs=64", "data.validation_pairs=8", "data.test_pairs=8"),
        *("trainer.max_steps=1", "model.hidden_size=2", "logger=[]"),
    )
    assert answer.status == 0, answer.err
    shown = answer.out.partition("Next")[0]
    assert max(map(len, shown.splitlines())) <= 80
    [text] = (tmp_path / "run/figures/over_training").glob("sums_*.txt")
    assert max(map(len, text.read_text("utf-8").splitlines())) > 1200
