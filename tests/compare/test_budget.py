"""Equal budgets: parameters by widening or narrowing, steps and seconds by settings."""

import json
from pathlib import Path

import pytest
import yaml

from nnlab.compare.budget import Budget, fitted
from nnlab.compose import Composer
from nnlab.errors import UserError

READ = {"50k": 50_000, "2M": 2_000_000, "1.5k": 1500, "800": 800, "1 k": 1000}


@pytest.mark.parametrize(("text", "number"), READ.items(), ids=READ)
def test_a_budget_is_read(text, number):
    assert Budget.of({"budget.parameters": text}).parameters == number


def test_steps_and_seconds_become_settings_of_the_trainer():
    words = Budget.of({"budget.steps": 30, "budget.seconds": 90061}).words
    assert words == [
        "trainer.max_epochs=-1",
        "trainer.max_steps=30",
        "trainer.max_time='01:01:01:01'",
    ]


def test_a_budget_is_said_in_words():
    said = Budget.of({"budget.parameters": "50k", "budget.seconds": 1}).said
    assert said == "50,000 parameters, 1 second"
    assert Budget().said == "none: each as its own settings say"


def test_a_model_is_widened_to_its_parameters():
    budget = Budget(parameters=5000)
    (word,) = fitted(["model=mlp", "data=xor"], budget, Composer())
    width = json.loads(word.removeprefix("model.hidden_sizes="))[0]
    # By hand: 2 inputs, w hidden units, 2 classes: 2w + w + 2w + 2 = 5w + 2 weights.
    assert width == round((5000 - 2) / 5)


def test_a_model_without_a_width_is_refused():
    with pytest.raises(UserError, match="perceptron has nothing to widen or narrow"):
        fitted(["model=perceptron"], Budget(parameters=50), Composer())


def test_a_budget_out_of_reach_is_refused():
    with pytest.raises(UserError, match="comes to 7 parameters at the nearest"):
        fitted(["model=mlp"], Budget(parameters=1), Composer())


def test_models_are_compared_with_equal_parameters_and_steps(nnlab):
    words = ("model=mlp,recurrent", "data=digits", "budget.parameters=3k", "seeds=2")
    quick = ("budget.steps=3", "logger=[]", "pictures=0", "to=there")
    answer = nnlab("compare", *words, *quick)
    assert answer.status == 0, answer.err
    results = [json.loads(f.read_text()) for f in Path("there").rglob("result.json")]
    assert sorted((r["model"], r["seed"]) for r in results) == [
        *(("mlp", 1), ("mlp", 2), ("recurrent", 1), ("recurrent", 2)),
    ]
    assert {r["steps"] for r in results} == {3}
    assert all(abs(r["parameters"] - 3000) < 300 for r in results)
    configs = [
        yaml.safe_load(f.read_text()) for f in Path("there").rglob("config.yaml")
    ]
    assert {config["data"]["_target_"] for config in configs} == {
        "nnlab.data.digits.Digits"
    }
    assert "model=mlp" in answer.out
    assert Path("there/sweep.html").is_file()
    assert Path("there/leaderboard.csv").read_text().count("\n") == 3


def test_training_time_holds_no_pictures_of_the_training(nnlab):
    words = ("model=mlp", "seeds=1", "trainer.max_epochs=2", "data.repeats=1")
    assert nnlab("compare", *words, "to=plain").status == 0
    assert not list(Path("plain").rglob("over_training"))
    assert list(Path("plain").rglob("decision_boundary.png")), "those of the end"
    assert nnlab("compare", *words, "pictures=2", "to=drawn").status == 0
    assert list(Path("drawn").rglob("over_training"))
