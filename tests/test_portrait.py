"""Of a model's texts a terminal shows what fits its lines; the file has all of it."""

import pytest

from nnlab.portrait import _cut


@pytest.mark.parametrize("columns", [60, 80])
def test_a_long_line_is_cut_and_says_so(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert _cut("short") == "short"
    assert _cut("x" * (columns - 4)) == "x" * (columns - 4)
    cut = _cut("x" * 20_000)
    assert len(cut) == columns - 4
    assert cut.endswith("x…")


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
