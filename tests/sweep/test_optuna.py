"""A search from its command to its study: asked, told, pruned, killed, continued."""

import importlib.util
import json
import math
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nnlab.folder import RunFolder
from nnlab.sweep.search import metric_check

optuna = pytest.importorskip("optuna")
report = pytest.importorskip("nnlab.sweep.search.report")
RATE = "optimizer.lr=tag(log,interval(1e-4,1e-1))"


class Killed(BaseException):
    """Nothing that the sweep could catch."""


class Trainer:
    """Gives each job of the instant server a loss: how far its lr is from 0.01."""

    def __init__(self, server: Any) -> None:
        self.server, self.start = server, server.start
        self.dies_at: int | None = None
        self.losses: dict[int, list[float]] = {}  # by job, where not the usual one

    def __call__(self, job: Any, words: list[str], **rest: Any) -> None:
        if len(self.server.started) == self.dies_at:
            raise Killed
        run = RunFolder(self.server.folder / job.folder)
        run.path.mkdir(exist_ok=True)
        monitor = {"metric": "val/loss", "mode": "min"}
        run.write_json(
            "config.yaml", {"model": {}, "data": {}, "choices": {}, "monitor": monitor}
        )
        values = dict(word.split("=", 1) for word in words if "=" in word)
        far = abs(math.log10(float(values.get("optimizer.lr", 0.01))) + 2)
        losses = self.losses.get(job.number, [1.0, far])
        rows = [
            json.dumps({"step": n, "val/loss": loss, "val/accuracy": 1 - loss})
            for n, loss in enumerate(losses)
        ]
        (run.path / "metrics.jsonl").write_text("\n".join(rows) + "\n")
        self.start(job, words, **rest)


@pytest.fixture
def trainer(instant, monkeypatch) -> Trainer:
    made = Trainer(instant)
    monkeypatch.setattr(instant, "start", made)
    monkeypatch.setattr(metric_check, "check_metrics", lambda *_: None)
    monkeypatch.setattr(report, "draw_search", lambda *_: [])
    return made


@pytest.fixture
def drawn(monkeypatch) -> dict[str, Any]:
    """Let the pictures be drawn, small, and return them by name."""
    pictures = pytest.importorskip("nnlab.sweep.search.pictures")
    figures: dict[str, Any] = {}
    for name in ("history", "importance", "parallel", "contour", "slices"):
        draw = getattr(pictures, f"draw_{name}")

        def keep(*given: Any, name: str = name, draw: Any = draw) -> Any:
            figures[name] = draw(*given)
            figures[name].set_dpi(30)
            return figures[name]

        monkeypatch.setattr(pictures, f"draw_{name}", keep)
    monkeypatch.setattr(report, "draw_search", pictures.draw_search)
    return figures


@pytest.fixture
def search(sweep):
    def run(*words: str, name: str = "night") -> Any:
        return sweep("sweep=optuna", "model=mlp", "data=xor", *words, name=name)

    return run


def study(name: str = "night") -> "optuna.Study":
    file = Path("outputs/sweep", name, "study.db")
    return optuna.load_study(storage=f"sqlite:///{file}", study_name=name)


def states(name: str = "night") -> Counter[str]:
    return Counter(trial.state.name for trial in study(name).trials)


def test_asks_for_so_many_trials_and_says_how_the_best_runs_again(trainer, search):
    answer, jobs = search(RATE, "sweep.trials=12", "sweep.workers=3")
    assert answer.status == 0, answer.err
    assert states() == {"COMPLETE": 12}
    assert len(jobs) == 12
    best = study().best_trial
    assert best.value < 0.3, "tpe comes near 0.01"
    assert f"best: trial {best.number}" in answer.out
    rate = best.params["optimizer.lr"]
    assert f"python -m nnlab model=mlp data=xor optimizer.lr={rate!r}" in answer.out


def test_draws_its_pictures_into_the_sweeps_folder(trainer, drawn, search):
    answer, _ = search(RATE, "seed=1,2", "sweep.trials=6")
    assert answer.status == 0, answer.err
    files = {file.stem for file in Path("outputs/sweep/night/figures").iterdir()}
    assert files == {
        *("optimisation_history", "parameter_importance"),
        *("parallel_coordinates", "contour", "slices"),
    }
    points, best = drawn["history"].axes[0].lines
    values = [trial.value for trial in study().trials]
    assert list(points.get_ydata()) == values
    assert list(best.get_ydata()) == [min(values[: n + 1]) for n in range(6)]
    bars = drawn["importance"].axes[0].patches
    assert sum(bar.get_width() for bar in bars) == pytest.approx(1)


def test_what_one_parameter_cannot_show_is_not_drawn(trainer, drawn, search):
    answer, _ = search(RATE, "sweep.trials=6")
    assert "2 pictures in outputs/sweep/night/figures" in answer.out
    assert {*drawn} == {"history", "slices"}
    [axes] = drawn["slices"].axes
    points, ring = axes.lines
    assert axes.get_xlabel() == "optimizer.lr"
    assert list(points.get_ydata()) == [trial.value for trial in study().trials]
    assert list(ring.get_ydata()) == [study().best_trial.value]
    assert "less is better" in drawn["slices"].get_suptitle()


def test_between_choices_without_an_order_nothing_is_filled(trainer, drawn, search):
    search(RATE, "optimizer=adam,adamw", "sweep.trials=8")
    filled = [c for c in drawn["contour"].axes[0].collections if len(c.get_paths()) > 2]
    assert not filled
    assert drawn["contour"].axes[0].get_title().startswith("val/loss: less is better")


def test_killed_at_trial_7_of_20_it_goes_on_as_if_it_had_not_been(trainer, search):
    words = (RATE, "optimizer.weight_decay=0,1e-4", "sweep.trials=20")
    search(*words, name="whole")
    trainer.server.started.clear()
    trainer.dies_at = 7
    with pytest.raises(Killed):
        search(*words, name="cut")
    assert states("cut") == {"COMPLETE": 7, "RUNNING": 1}
    trainer.dies_at = None
    answer, jobs = search(*words, name="cut")
    assert answer.status == 0, answer.err
    assert states("cut") == {"COMPLETE": 20}
    whole, cut = ([trial.params for trial in study(n).trials] for n in ("whole", "cut"))
    assert cut == whole
    assert {job["status"] for job in jobs.values()} == {"complete"}
    again, _ = search(*words, name="cut")
    assert again.status == 0
    assert states("cut") == {"COMPLETE": 20}, "no more"


def test_killed_between_the_ledger_and_the_study_no_job_is_run_twice(
    trainer, search, monkeypatch
):
    from nnlab.sweep.search.search import Search

    def die(self: Search, job: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Search, "end", die)
        with pytest.raises(Killed):
            search(RATE, "sweep.trials=3")
    assert len(trainer.server.started) == 1
    answer, jobs = search(RATE, "sweep.trials=3")
    assert answer.status == 0, answer.err
    assert len(trainer.server.started) == 3
    assert {job["status"] for job in jobs.values()} == {"complete"}


def test_a_failed_job_is_a_failed_trial(trainer, instant, search):
    instant.fails = {1, 3}
    answer, _ = search(RATE, "sweep.trials=6")
    assert answer.status == 1
    assert states() == {"COMPLETE": 4, "FAIL": 2}
    assert study().trials[1].user_attrs["cause"] == "it was to"
    assert "it was to" in answer.err
    assert "sweep.retry" not in answer.err


def test_a_loss_that_is_no_number_is_a_failed_trial(trainer, search):
    trainer.losses = {0: [math.nan]}
    search(RATE, "sweep.trials=2")
    assert states() == {"COMPLETE": 1, "FAIL": 1}


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_what_promises_little_is_ended_and_listed_as_pruned(
    trainer, instant, search, pruner
):
    instant.hangs = {4}  # until it gets a signal
    trainer.losses = {n: [0.5, 0.4, 0.3, 0.2, 0.1] for n in range(4)} | {4: [9.0] * 4}
    answer, jobs = search(
        *(RATE, "sweep.trials=5", f"sweep.pruner={pruner}", "sweep.startup=2")
    )
    assert answer.status == 0, answer.err
    assert instant.signals == [(4, 15)]
    assert states() == {"COMPLETE": 4, "PRUNED": 1}
    assert Counter(job["status"] for job in jobs.values())["pruned"] == 1
    assert "promised little" in answer.out


def test_two_metrics_are_a_trade_off(trainer, search):
    answer, _ = search(
        *(RATE, "sweep.trials=5", "sweep.metric=[val/loss,val/accuracy]"),
        "sweep.direction=[minimize,minimize]",  # against each other
    )
    assert answer.status == 0, answer.err
    assert len(study().best_trials) == 5
    assert answer.out.count("among the best") == 5


def test_a_grid_is_visited_once_and_repeated_values_are_one_job(trainer, search):
    words = ("optimizer.lr=0.1,0.01,0.001", "seed=1,2", "sweep.trials=50")
    answer, jobs = search(*words, "sweep.sampler=grid")
    assert answer.status == 0, answer.err
    assert states() == {"COMPLETE": 6}
    assert len(jobs) == 6
    assert "of these again" not in answer.out
    answer, _ = search("seed=1,2", "sweep.trials=8", "sweep.sampler=random", name="two")
    assert "6 trials asked for one of these again" in answer.out
    assert answer.out.count(" complete ") == 2 * 2  # a line a job, and a row
    assert states("two") == {"COMPLETE": 8}
    assert (
        len(json.loads(Path("outputs/sweep/two/sweep.json").read_text())["jobs"]) == 2
    )


def test_cmaes_searches_whole_numbers_and_floats(trainer, search):
    words = (RATE, "data.batch_size=interval(2,8)", "sweep.sampler=cmaes")
    answer, _ = search(*words, "sweep.trials=8", "sweep.startup=2")
    assert answer.status == 0, answer.err
    assert states() == {"COMPLETE": 8}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sweep=optuna",), "nothing to search"),
        (("sweep=optun", RATE), "did you mean optuna?"),
        (("sweep=optuna", RATE, "sweep.sampler=tpo"), "did you mean tpe?"),
        (("sweep=optuna", RATE, "sweep.pruner=medium"), "did you mean median?"),
        (("sweep=optuna", RATE, "sweep.sampler=grid"), "is an interval"),
        (("sweep=optuna", RATE, "sweep.sampler=cmaes"), "wants two intervals"),
        (("sweep=optuna", RATE, "sweep.retry=failed"), "is for a grid"),
        ((RATE,), "add sweep=optuna"),
        (("seed=1,2", "sweep.trials=3"), "add sweep=optuna"),
        (("sweep=optuna", "seed=1,2", "hydra/launcher=basic"), "hydra/launcher"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(instant, nnlab, words, said):
    answer = nnlab("-m", *words)
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_a_metric_that_is_not_measured_is_told_before_the_first_job(instant, search):
    answer, _ = search(RATE, "sweep.metric=val/los")
    assert answer.status == 2
    assert "sweep.metric=val/los is not measured by this model" in answer.err
    assert "did you mean val/loss?" in answer.err
    assert not Path("outputs").exists()


def test_without_optuna_it_is_said_how_to_get_it(instant, search, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "optuna" else found(name),
    )
    answer, _ = search(RATE)
    assert answer.status == 2
    assert "pip install 'nnlab[optuna]'" in answer.err


def test_a_study_for_another_metric_is_not_continued(trainer, search):
    search(RATE, "sweep.trials=1")
    answer, _ = search(RATE, "sweep.trials=2", "sweep.metric=val/accuracy")
    assert answer.status == 2
    assert "searches for val/loss (minimize)" in answer.err


def test_the_study_lies_in_the_sweeps_folder_and_nothing_secret_in_it(trainer, search):
    search(RATE, "sweep.trials=1", "+a_token=hush")
    with sqlite3.connect("outputs/sweep/night/study.db") as connection:
        assert "hush" not in "".join(connection.iterdump())
