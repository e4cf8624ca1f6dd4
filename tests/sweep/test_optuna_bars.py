"""What a search promises, shown with the real processes; slow."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

optuna = pytest.importorskip("optuna")
pytestmark = pytest.mark.slow
WORDS = (
    *("model=mlp", "data=xor", "sweep=optuna", "sweep.workers=2", "pictures=0"),
    *("logger=[]", "optimizer.lr=tag(log,interval(1e-5,1e-1))", "sweep.startup=4"),
)


def start(name: str, *words: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "nnlab", "-m", *WORDS, f"sweep.name={name}"]
    with Path(f"{name}.txt").open("ab") as log:
        return subprocess.Popen([*command, *words], stdout=log, stderr=log)


def states(name: str) -> Counter[str]:
    file = Path("outputs/sweep", name, "study.db")
    study = optuna.load_study(storage=f"sqlite:///{file}", study_name=name)
    return Counter(trial.state.name for trial in study.trials)


def test_killed_at_trial_7_of_20_and_continued_it_has_20_trials(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("sweep.trials=20", "trainer.max_epochs=2", "data.repeats=20")
    search = start("night", *words)
    while search.poll() is None and states_begun("night") < 8:
        time.sleep(0.05)
    search.send_signal(signal.SIGKILL)
    search.wait()
    assert sum(states("night").values()) < 20
    assert start("night", *words).wait() == 0, Path("night.txt").read_text()
    assert states("night") == {"COMPLETE": 20}
    jobs = json.loads(Path("outputs/sweep/night/sweep.json").read_text())["jobs"]
    assert Counter(job["status"] for job in jobs.values()) == {"complete": 20}


def test_a_bad_trial_is_pruned_while_it_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("sweep.trials=10", "trainer.max_epochs=12", "sweep.pruner=median")
    assert start("night", *words).wait() == 0, Path("night.txt").read_text()
    told = states("night")
    assert told["PRUNED"] >= 1
    assert told["PRUNED"] + told["COMPLETE"] == 10


def states_begun(name: str) -> int:
    file = Path("outputs/sweep", name, "sweep.json")
    return len(json.loads(file.read_text())["jobs"]) if file.is_file() else 0
