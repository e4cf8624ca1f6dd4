"""The runs of a comparison: refused before the first, or made and told part by part."""

from pathlib import Path

import pytest
from rich.console import Console

from nnlab.compare import making

QUICK = ("seeds=1", "trainer.max_epochs=1", "data.repeats=1", "logger=[]")


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Return what sweeps a comparison's words ask for, which end with a status."""

    def ask(*words: str, status: int = 0) -> list[list[str]]:
        sweeps: list[list[str]] = []
        monkeypatch.setattr(
            making, "sweep", lambda given, *_, **__: sweeps.append(given) or status
        )
        given = {key: value.split(",") for key, _, value in map(partition, words)}
        given = {k: v if len(v) > 1 else v[0] for k, v in given.items()}
        assert making.make_runs(words, given, tmp_path, Console()) == status
        return sweeps

    return ask


def partition(word: str) -> tuple[str, str, str]:
    return word.partition("=")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["budget.seconds=5"], ["sweep.workers=1"]),
        (["budget.seconds=5", "sweep.workers=3"], ["sweep.workers=3"]),
        (["budget.steps=5"], []),
    ],
)
def test_seconds_are_a_runs_own(asked, words, wanted):
    (sweep,) = asked("model=mlp", "data=xor", *words)
    assert [word for word in sweep if word.startswith("sweep.workers")] == wanted


def test_what_stops_a_part_stops_all(asked):
    assert len(asked("model=mlp,perceptron", "data=xor", status=1)) == 2
    assert len(asked("model=mlp,perceptron", "data=xor", status=130)) == 1


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("test/acuracy", "did you mean test/accuracy?"),
        ("val/accuracy", "is not measured by the test of model=mlp on data=xor"),
    ],
)
def test_a_metric_that_no_test_has_is_refused_before_the_first_run(
    metric, said, refused
):
    refused(f"compare model=mlp,perceptron data=xor metric={metric}", said)


def test_parts_are_told_and_one_table_ends_it(nnlab):
    words = ("model=mlp,perceptron", "data=xor", "metric=test/accuracy")
    answer = nnlab("compare", *words, *QUICK, "to=there")
    assert answer.status == 0, answer.err
    lines = answer.out.splitlines()
    assert [line for line in lines if line.endswith(" of 2")] == [
        "model=mlp, 1 of 2",
        "model=perceptron, 2 of 2",
    ]
    assert sum("1/1  the only one  complete" in line for line in lines) == 2
    assert answer.out.count(" # ") == 1, "one table"
    assert "nothing to compare it with" not in answer.out
    assert answer.out.count("the page: ") == 1
    assert max(map(len, lines)) <= 80
    page = Path("there/sweep.html").read_text(encoding="utf-8")
    assert "nnlab compare model=mlp,perceptron data=xor metric=test/accuracy" in page
    assert "none: each as its own settings say" in page


def test_runs_of_which_none_is_complete_are_kept(nnlab, monkeypatch):
    monkeypatch.setattr(making, "sweep", lambda *_, **__: 1)
    answer = nnlab("compare", "model=mlp,perceptron", "data=xor", *QUICK, "to=kept")
    assert answer.status == 2
    assert "no run of them is complete" in answer.err
    assert "(the runs are kept: nnlab compare run=kept)" in answer.err


def test_a_comparison_of_which_a_run_is_missing_says_how_it_goes_on(nnlab):
    words = ("compare", "model=mlp,perceptron", "data=xor", *QUICK, "to=there")
    assert nnlab(*words).status == 0
    (status,) = Path("there/sweep/mlp").glob("*/status.json")
    status.write_text('{"status": "failed", "cause": "it broke"}')
    ledger = Path("there/sweep/mlp/sweep.json")
    ledger.write_text(ledger.read_text().replace('"complete"', '"failed"'))
    answer = nnlab(*words)
    assert answer.status == 1
    assert "the same command with to=there goes on" in answer.err
    again = nnlab(*words, "sweep.retry=failed")
    assert again.status == 0
    assert "better than" in again.out or "ahead of" in again.out or "equal" in again.out


def test_a_word_that_one_model_does_not_take_costs_no_run(refused):
    refused("compare model=mlp,perceptron data=xor model.dropout=0.1", "model.dropout")
