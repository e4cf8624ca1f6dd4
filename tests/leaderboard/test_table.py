"""Runs become entries, entries a ranking, and a sentence says what is sure."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from nnlab.leaderboard.entries import (
    common_metric,
    entries_of,
    more_is_better,
    names_of,
)
from nnlab.leaderboard.statistics import Mean
from nnlab.leaderboard.table import (
    leaderboard_table,
    mean_text,
    ranked,
    taken_text,
)
from nnlab.leaderboard.verdict import verdict_sentence
from nnlab.report.past_runs import past_runs
from nnlab.screen import screen


def entries(metric="test/accuracy", *, more=True):
    return ranked(entries_of(past_runs(Path("outputs")), metric), more=more)


def test_seeds_of_one_setting_are_one_entry_and_the_best_is_first(two_models):
    first, second = entries()
    assert (first.name, second.name) == ("model=lenet5", "model=mlp")
    assert sorted(first.values.items()) == [(1, 0.95), (2, 0.975), (3, 0.99)]
    assert [run.config["seed"] for run in first.others] == [4]
    assert [entry.name for entry in entries(more=False)] == [
        "model=mlp",
        "model=lenet5",
    ]


def test_of_a_seed_that_was_run_twice_the_newest_counts(made_up):
    made_up("old", "mlp", 1, 0.5)
    made_up("new", "mlp", 1, 0.9)
    (entry,) = entries()
    assert entry.values == {1: 0.9}


def test_entries_are_named_by_what_differs(made_up):
    made_up("a", "mlp", 1, 0.5, {"lr": 0.1})
    made_up("b", "mlp", 1, 0.5, {"lr": 0.2})
    made_up("c", "gpt", 1, 0.5, {"lr": 0.3})
    runs = sorted(past_runs(Path("outputs")), key=lambda run: run.path)
    # What comes with a choice is not told; what was set beside it is.
    assert names_of(runs) == [
        "model=mlp optimizer.lr=0.1",
        "model=mlp optimizer.lr=0.2",
        "model=gpt",
    ]


def test_the_words_that_tell_all_entries_apart_are_their_names(made_up):
    for name, model, lr in (("a", "mlp", 0.1), ("b", "gpt", 0.3)):
        folder = made_up(name, model, 1, 0.5, {"lr": lr})
        said = ["data=xor", f"+model={model}", "seed=1", f"folder={folder}"]
        (folder / "overrides.txt").write_text("\n".join(said))
    runs = sorted(past_runs(Path("outputs")), key=lambda run: run.path)
    assert names_of(runs) == ["model=mlp", "model=gpt"]


def test_the_metric_and_its_direction_are_the_runs_own(two_models):
    runs = past_runs(Path("outputs"))
    assert common_metric(runs) == "test/accuracy"
    assert more_is_better("test/accuracy", runs)
    assert not more_is_better("test/loss", runs)


def test_of_equal_means_the_smaller_then_the_faster_comes_first(made_up, nnlab):
    for name, model, lr, seconds in (
        ("a", "lenet5", 0.1, 1.0),
        ("b", "mlp", 0.1, 9.0),
        ("c", "mlp", 0.2, 8.0),
        ("d", "mlp", 0.3, 8.0),
    ):
        file = made_up(name, model, 1, 0.9, {"lr": lr}) / "result.json"
        result = json.loads(file.read_text()) | {"seconds": seconds}
        file.write_text(json.dumps(result))
    runs = past_runs(Path("outputs"))
    for order in (runs, runs[::-1]):
        names = [e.name for e in ranked(entries_of(order, "test/accuracy"), more=True)]
        assert names == [
            "model=mlp optimizer.lr=0.2",
            "model=mlp optimizer.lr=0.3",
            "model=mlp optimizer.lr=0.1",
            "model=lenet5",
        ]
    answer = nnlab("compare", "run=outputs/*", "to=there")
    assert "of equal means, fewer parameters come first" in answer.out


def test_an_order_without_ties_is_not_explained(two_models, nnlab):
    assert "of equal means" not in nnlab("compare", "run=outputs/*", "to=there").out


def test_of_parameters_it_is_said_how_many_learn(made_up):
    file = made_up("a", "mlp", 1, 0.9) / "result.json"
    result = json.loads(file.read_text()) | {"parameters": 50_890, "trainable": 1290}
    file.write_text(json.dumps(result))
    (entry,) = entries()
    assert taken_text(entry, "parameters") == "1,290 of 50.9 k"


def test_more_accuracy_is_better_whatever_an_experiment_shows(two_models):
    runs = past_runs(Path("outputs"))
    low = {"metric": "test/accuracy", "better": "lower"}
    runs[0].config["reference"] = low  # as perceptron_xor's, which cannot learn it
    assert more_is_better("test/accuracy", runs)
    runs[0].config["reference"] = {"metric": "test/gap", "better": "lower"}
    assert not more_is_better("test/gap", runs)
    runs[1].config["reference"] = {"metric": "test/gap", "better": "higher"}
    assert more_is_better("test/gap", runs), "one says this, one that"


TEXTS = {
    ("test/accuracy", Mean(0.98912, 0.00123, 5)): "98.91 ± 0.12 %",
    ("test/accuracy", Mean(0.98912, None, 1)): "98.91 %",
    ("test/loss", Mean(0.031234, 0.0011, 3)): "0.0312 ± 0.0011",
    ("test/fid", Mean(40.6, 12.0, 3)): "41 ± 12",
    ("test/accuracy", None): "none complete",
}


@pytest.mark.parametrize(("given", "wanted"), TEXTS.items(), ids=TEXTS.values())
def test_an_interval_says_how_many_digits_count(given, wanted):
    assert mean_text(*given) == wanted


def test_a_difference_beyond_chance_is_called_so(two_models):
    # By hand: gaps 0.05, 0.055, 0.05; mean 0.05167, error 0.00167, t = 31, p = 0.001.
    said = verdict_sentence(entries(), "test/accuracy")
    assert said == (
        "model=lenet5 is better than model=mlp by 5.17 ± 0.72 % (95 % interval, "
        "3 seeds paired): significant, p = 0.001"
    )


def test_a_difference_that_may_be_chance_is_called_so(made_up):
    for seed, one, other in ((1, 0.9, 0.8), (2, 0.8, 0.85), (3, 0.9, 0.88)):
        made_up(f"a{seed}", "mlp", seed, one)
        made_up(f"b{seed}", "gpt", seed, other)
    said = verdict_sentence(entries(), "test/accuracy")
    assert "not significant" in said
    assert "may be chance" in said


def test_one_seed_and_no_shared_seed_prove_nothing(made_up):
    made_up("a", "mlp", 1, 0.9)
    made_up("b", "gpt", 1, 0.8)
    said = verdict_sentence(entries(), "test/accuracy")
    assert "on one seed, which says nothing about chance" in said
    made_up("c", "lenet5", 2, 0.95)
    said = verdict_sentence(entries(), "test/accuracy")
    assert "share no seed" in said


def test_what_is_equal_is_not_called_better(made_up):
    made_up("a", "mlp", 1, 0.9)
    made_up("b", "gpt", 1, 0.9)
    assert "are equal in test/accuracy" in verdict_sentence(entries(), "test/accuracy")
    made_up("c", "lenet5", 1, 0.9)
    made_up("d", "siamese", 1, 0.8)
    said = verdict_sentence(entries(), "test/accuracy")
    named, _, _ = said.partition(" are equal in ")
    assert sorted(re.findall(r"model=(\w+)", named)) == ["gpt", "lenet5", "mlp"]


def test_one_difference_on_every_seed_has_no_interval(made_up):
    for seed in (1, 2):
        made_up(f"a{seed}", "mlp", seed, 0.75)
        made_up(f"b{seed}", "gpt", seed, 0.5)
    assert verdict_sentence(entries(), "test/accuracy") == (
        "model=mlp is ahead of model=gpt by 25.00 % on each of 2 seeds (judged by its "
        "sign): not significant, p = 0.5; this may be chance"
    )


def test_of_different_data_nothing_is_decided(made_up):
    made_up("a", "mlp", 1, 0.9)
    file = made_up("b", "gpt", 1, 0.5) / "config.yaml"
    file.write_text(file.read_text().replace("data: xor", "data: mnist"))
    said = verdict_sentence(entries(), "test/accuracy")
    assert said == (
        "these were tested on different data (data=xor, data=mnist): no one is the "
        "better"
    )


def test_the_verb_writes_table_and_page(two_models, nnlab):
    answer = nnlab("compare", "run=outputs/*", "to=there")
    assert answer.status == 0, answer.err
    table = Path("there/leaderboard.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(table.splitlines()))
    assert [row["entry"] for row in rows] == ["model=lenet5", "model=mlp"]
    assert float(rows[1]["test/accuracy"]) == pytest.approx(0.92)
    assert (rows[0]["seeds"], rows[0]["failed"], rows[1]["failed"]) == ("3", "1", "0")
    assert "97.2 ± 5.0 %" in answer.out
    assert "significant" in answer.out
    page = Path("there/sweep.html").read_text(encoding="utf-8")
    assert "2 entries, 7 runs on xor" in page


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_table_is_no_wider_than_the_terminal(width, made_up):
    for name, lr in (("a", 0.1), ("b", 0.2)):
        folder = made_up(name, "mlp", 1, 0.5, {"lr": lr, "a_setting_of_much_room": lr})
        said = {"seconds": 12.0, "parameters": 61_706, "best_epoch": 3, "flops": 10**6}
        file = folder / "result.json"
        content = json.loads(file.read_text()) if file.is_file() else {}
        file.write_text(json.dumps(content | said))
    console = screen(width=width, file=io.StringIO())
    table = leaderboard_table(entries(), "test/accuracy", console)
    console.print(table)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    assert "".join(lines).count("50.00 %") == 2, "no number is cut"
    names = [str(column.header) for column in table.columns]
    assert {"#", "entry", "test/accuracy", "seeds"} <= {*names}
    assert ("best epoch" in names) is (width == 120)


def test_brackets_are_no_markup(made_up, nnlab):
    for name, model in (("a", "mlp"), ("b", "gpt")):
        folder = made_up(name, model, 1, 0.5 + 0.1 * (name == "b"))
        said = [f"model={model}", "seed=1", f"regularizer=[{model}]"]
        (folder / "overrides.txt").write_text("\n".join(said))
    answer = nnlab("compare", "run=outputs/*", "to=there")
    sentence = " ".join(answer.out.split())
    assert "regularizer=[gpt] is ahead of model=mlp regularizer=[mlp]" in sentence


MISTAKES = {
    "compare": "compare needs run=<folders>, or models",
    "compare run=nowhere": "run=nowhere is no run's folder",
    "compare run=outputs/* metric=test/acc": "has metric=test/acc; did you mean",
    "compare run=outputs/lenet54": "no run of them is complete",
    "compare run=outputs/* seeds=3": "compare takes run=, metric=, to=, not seeds=",
    "compare model=mlp,lenet5": "model=mlp on data=xor, model=lenet5 on data=mnist",
    "compare model=mlp seed=1,2 seeds=3": "seeds= counts them; keep one",
    "compare model=mlp seeds=0": "seeds=0 must be a number from 1",
    "compare model=mlp budget.size=3": "no budget of 'size'; there is parameters",
    "compare model=mlp budget.steps=many": "budget.steps=many must be a number from 1",
    "compare model=mlq": "no model called 'mlq'; did you mean mlp?",
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_gets_one_sentence(words, said, two_models, nnlab, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    answer = nnlab(*words.split())
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before
