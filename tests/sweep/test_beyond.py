"""A sweep's jobs on other machines: what is sent there, heard from there, refused."""

import importlib.util
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from nnlab.sweep.beyond.call import Call, read_state, write_stop
from nnlab.sweep.beyond.launchers import RemoteLauncher
from nnlab.sweep.beyond.remote import RemoteServer
from nnlab.sweep.job import Job

STUB = """
import pathlib, signal, sys, time
pathlib.Path("words").write_text(" ".join(sys.argv))
if "waits" in sys.argv:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("ready", flush=True)
    time.sleep(60)
sys.exit(3)
"""


@pytest.fixture
def call(tmp_path):
    """Make a call of a stand-in for Python, in a folder of its own."""
    stub = tmp_path / "stub.py"
    stub.write_text(STUB)

    def make(*words: str) -> Call:
        return Call(
            command=[sys.executable, "-S", str(stub)],
            words=["train", *words, "folder=run"],
            run=str(tmp_path / "run"),
            log=str(tmp_path / "log.txt"),
            mark=str(tmp_path / "mark"),
            directory=str(tmp_path),
            environment={},
        )

    return make


def test_a_call_runs_its_words_and_says_how_it_ended(call, tmp_path):
    assert call("seed=1")() == 3
    assert read_state(str(tmp_path / "mark"))["status"] == 3
    words = (tmp_path / "words").read_text()
    assert words.endswith(f"child {os.getpid()} train seed=1 folder=run")


@pytest.mark.parametrize(("number", "status"), [(15, 143), (9, -9)])
def test_a_call_hears_a_signal_through_a_file(call, tmp_path, number, status):
    def stop() -> None:
        log = tmp_path / "log.txt"
        while not (log.is_file() and "ready" in log.read_text()):
            time.sleep(0.02)
        write_stop(str(tmp_path / "mark"), number)

    threading.Thread(target=stop).start()
    assert call("waits")() == status


def test_a_call_that_is_made_again_continues_from_the_checkpoint(call, tmp_path):
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    call("seed=1")()
    assert (tmp_path / "words").read_text().endswith("train seed=1 folder=run")
    assert not (tmp_path / "run").exists(), "there was no checkpoint"
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    (tmp_path / "run/checkpoints/last.ckpt").touch()
    call("seed=1")()
    assert (tmp_path / "words").read_text().endswith("train resume=run")


class Elsewhere(RemoteServer):
    """Machines that do nothing by themselves."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, seconds=0.0)
        self.calls: list[Call] = []
        self.cancelled: list[int] = []
        self.ends: dict[int, tuple[int, str]] = {}

    def hold(self, folder: Path) -> None:
        pass

    def submit(self, call: Call) -> int:
        self.calls.append(call)
        return len(self.calls) - 1

    def lost(self, handle: int) -> tuple[int, str] | None:
        return self.ends.get(handle)

    def cancel(self, handle: int, number: int) -> None:
        self.cancelled.append(handle)

    def say(self, handle: int, status: int | None) -> None:
        state = {"host": "other", "status": status}
        Path(f"{self.calls[handle].mark}.state").write_text(json.dumps(state))


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Elsewhere:
    monkeypatch.setenv("NNLAB_DATA", "/data")
    (tmp_path / "logs").mkdir()
    server = Elsewhere(tmp_path)
    for number in range(2):
        job = Job(number=number, overrides=[], folder=f"{number}_job")
        log = tmp_path / f"logs/{number}_job.txt"
        server.start(job, ["train", "a=1"], log=log, threads=3, environment={})
    return server


def test_jobs_are_heard_of_when_they_begin_and_end(elsewhere):
    given = elsewhere.calls[0].environment
    assert (given["OMP_NUM_THREADS"], given["NNLAB_DATA"]) == ("3", "/data")
    assert elsewhere.news(0) == []
    elsewhere.say(1, None)
    assert elsewhere.news(0) == [(1, None)]
    assert elsewhere.news(0) == []
    elsewhere.say(0, 0)
    assert elsewhere.news(0) == [(0, None), (0, 0)]


def test_a_job_that_can_say_nothing_more_is_asked_for(elsewhere, tmp_path):
    elsewhere.say(0, None)
    elsewhere.ends[0] = (-15, "slurm ended job 7: TIMEOUT")
    assert elsewhere.news(0) == [(0, None), (0, -15)]
    assert "TIMEOUT" in (tmp_path / "logs/0_job.txt").read_text()


def test_a_job_that_waits_is_cancelled_and_one_that_runs_is_told(elsewhere):
    elsewhere.say(1, None)
    elsewhere.news(0)
    for number in range(2):
        job = Job(number=number, overrides=[], folder=f"{number}_job")
        elsewhere.signal(job, signal.SIGTERM)
    assert elsewhere.cancelled == [0]
    stop = Path(f"{elsewhere.calls[1].mark}.stop")
    assert json.loads(stop.read_text()) == {"signal": 15}


@pytest.mark.parametrize(
    ("name", "missing", "said"),
    [
        ("submitit_slurm", "submitit", "pip install 'nnlab[slurm]'"),
        ("submitit_local", "submitit", "pip install 'nnlab[slurm]'"),
        ("ray", "ray", "pip install 'nnlab[ray]'"),
        ("submitit_slum", None, "did you mean submitit_slurm?"),
    ],
)
def test_a_launcher_that_cannot_start_is_one_sentence(
    instant, nnlab, monkeypatch, name, missing, said
):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n == missing else found(n)
    )
    answer = nnlab("-m", "seed=1,2", f"hydra/launcher={name}")
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert not Path("outputs").exists()


def test_slurm_without_sbatch_is_one_sentence(instant, nnlab, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", "")
    answer = nnlab("-m", "seed=1,2", "hydra/launcher=submitit_slurm")
    assert answer.status == 2
    assert "needs sbatch" in answer.err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("submitit", ("hydra/launcher=submitit_local",)),
        ("ray", ("hydra/launcher=ray", "hydra.launcher.cores=2")),
    ],
)
def test_a_sweep_elsewhere_has_the_results_of_one_run(instant, sweep, package, words):
    pytest.importorskip(package)
    # instant: nothing of it is run by this machine's own server
    answer, jobs = sweep("model=mlp", "data=xor,digits", "trainer.max_epochs=1", *words)
    assert instant.started == []
    statuses = {name: job["status"] for name, job in jobs.items()}
    assert statuses == {"data=xor": "complete", "data=digits": "complete"}, answer.err
    for job in jobs.values():
        result = Path("outputs/sweep/night", job["folder"], "result.json")
        assert json.loads(result.read_text())["metrics"] == job["metrics"]


@pytest.mark.parametrize(("said", "workers"), [(None, 256), (1, 1), (3, 3)])
def test_the_launcher_says_how_many_jobs_where_the_user_does_not(
    said, workers, tmp_path
):
    class Server:
        hold = print

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

    class There(RemoteLauncher):
        def make_server(self, folder):
            return Server()

    ledger = SimpleNamespace(folder=tmp_path, enrol=lambda overrides: [])
    options = SimpleNamespace(workers=said, retry=None)
    pool = SimpleNamespace(
        ledger=ledger, options=options, workers=said or 2, run=lambda jobs: None
    )
    There(pool=pool, workers=256, threads=4).launch([], 0)
    assert (pool.workers, pool.threads) == (workers, 4)
