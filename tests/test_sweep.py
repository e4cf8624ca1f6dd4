"""A sweep: each job alone, what failed is told, what is finished is kept."""

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

import nnlab.run  # noqa: F401  # once, for all the forked jobs
from nnlab import sweep
from nnlab.cli import main
from nnlab.sweep import LocalLauncher, named_jobs

QUICK = ("trainer.max_epochs=1", "data.repeats=2", "pictures=0", "logger=[]")


class ForkedJob:
    """A job's process as `subprocess.Popen`, but forked: torch is imported already."""

    def __init__(
        self, command: list[str], *, stdout: IO[bytes], **options: Any
    ) -> None:
        assert command[1:4] == ["-m", "nnlab", "train"]
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            status = 99
            try:
                os.setsid()
                signal.signal(signal.SIGINT, signal.default_int_handler)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                sys.stdout = sys.stderr = os.fdopen(stdout.fileno(), "w", buffering=1)
                status = main(command[3:])
            except BaseException:  # noqa: BLE001  # told in the job's log
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(status)

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


@pytest.fixture
def forked(monkeypatch) -> None:
    here = SimpleNamespace(Popen=ForkedJob, DEVNULL=None, STDOUT=None)
    monkeypatch.setattr(sweep, "subprocess", here)


def the_sweep(tmp_path: Path) -> Path:
    [folder] = (tmp_path / "outputs/sweep").iterdir()
    return folder


def jobs_of(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "sweep.json").read_text())["jobs"]


def test_one_failing_job_fails_alone_and_its_cause_is_told(forked, nnlab, tmp_path):
    answer = nnlab("-m", "model=lenet5,mlp", "data=xor", *QUICK)
    assert answer.status == 1
    jobs = jobs_of(the_sweep(tmp_path))
    statuses = {job["name"]: job["status"] for job in jobs}
    assert statuses == {"model=lenet5": "failed", "model=mlp": "complete"}
    for job in jobs:
        if job["status"] == "failed":
            assert "data=xor" in job["cause"]
            assert f"({job['name']}) failed: {job['cause']}" in answer.err
            assert not Path(job["folder"]).exists(), "it failed before it began"
        else:
            result = json.loads(Path(job["folder"], "result.json").read_text())
            assert result["metrics"] == job["metrics"]
            assert f"model={result['model']}" == job["name"]
    assert "accuracy" in answer.out, "the table at the end"


def test_two_workers_run_two_jobs_at_a_time(forked, nnlab, monkeypatch, tmp_path):
    running = []
    start = LocalLauncher._start

    def counting(self, job):
        start(self, job)
        running.append(len(self.running))

    monkeypatch.setattr(LocalLauncher, "_start", counting)
    answer = nnlab("-m", "model.hidden_sizes=[2],[3,4]", "sweep.workers=2", *QUICK)
    assert answer.status == 0, answer.err
    assert running == [1, 2]
    folder = the_sweep(tmp_path)
    files = {path.name for path in folder.iterdir()}
    assert files == {
        "0_model.hidden_sizes=,2,",
        "1_model.hidden_sizes=,3,4,",
        "logs",
        "multirun.yaml",  # Hydra's
        "sweep.json",
    }
    assert len(list((folder / "logs").iterdir())) == 2


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_stopped_sweep_keeps_what_is_finished(number, forked, nnlab, monkeypatch):
    # The first job is short; the second is stopped once it has begun to train.
    poll = ForkedJob.poll

    def poll_and_stop(self):
        if any(Path("outputs/sweep").glob("*/1_*/metrics.jsonl")):
            os.kill(os.getpid(), number)
            monkeypatch.setattr(ForkedJob, "poll", poll)
        return poll(self)

    monkeypatch.setattr(ForkedJob, "poll", poll_and_stop)
    answer = nnlab("-m", "trainer.max_epochs=1,100000,2", "pictures=0", "logger=[]")
    assert answer.status == 128 + number
    [folder] = Path("outputs/sweep").iterdir()
    finished, stopped, waiting = jobs_of(folder)
    assert finished["status"] == "complete"
    assert Path(finished["folder"], "result.json").is_file()
    assert stopped["status"] == "interrupted"
    assert Path(stopped["folder"], "checkpoints/last.ckpt").is_file()
    assert waiting["status"] == "not started"
    assert not Path(waiting["folder"]).exists()


def test_a_job_that_is_killed_is_told_with_how_to_continue(
    forked, nnlab, monkeypatch, tmp_path
):
    poll = ForkedJob.poll

    def poll_and_kill(self):
        if any(Path("outputs/sweep").glob("*/0_*/metrics.jsonl")):
            os.kill(self.pid, signal.SIGKILL)
            monkeypatch.setattr(ForkedJob, "poll", poll)
        return poll(self)

    monkeypatch.setattr(ForkedJob, "poll", poll_and_kill)
    answer = nnlab("-m", "trainer.max_epochs=100000,1", "pictures=0", "logger=[]")
    assert answer.status == 1
    killed, other = jobs_of(the_sweep(tmp_path))
    assert killed["status"] == "failed"
    assert (
        killed["cause"] == f"killed by SIGKILL; continue it: resume={killed['folder']}"
    )
    assert other["status"] == "complete"


TYPOS = {
    "an option": ("model=mlp,lenet", "did you mean lenet5?"),
    "a key": ("model.hiden_sizes=[3],[4]", "did you mean model.hidden_sizes?"),
    "a key of one job": ("optimizer=sgd,adam optimizer.mommentum=0,0.9", "optimizer."),
    "a folder": ("seed=1,2 folder=here", "folder= is for one run"),
    "resume": ("seed=1,2 resume=here", "resume= is for one run"),
    "workers": ("seed=1,2 sweep.workers=0", "sweep.workers=0 must be"),
    "given twice": ("seed=1,2 seed=3", "seed is given twice"),
}


@pytest.mark.parametrize(("words", "said"), TYPOS.values(), ids=TYPOS)
def test_a_mistake_in_any_job_stops_all_before_the_first(words, said, nnlab, tmp_path):
    answer = nnlab("-m", *words.split())
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_key_left_at_its_default_is_swept_plainly(nnlab, monkeypatch):
    started: list[str] = []
    monkeypatch.setattr(LocalLauncher, "_run", lambda _, jobs: started.extend(jobs))
    nnlab("-m", "trainer.gradient_clip_val=0.5,1", *QUICK)
    names = [job.name for job in started]
    assert names == ["+trainer.gradient_clip_val=0.5", "+trainer.gradient_clip_val=1"]


def test_jobs_are_named_by_what_differs():
    words = [["a=1", "b=x/y", "c=3"], ["a=2", "b=x/y", "c=3"]]
    jobs = named_jobs(words, 4, Path("here"))
    assert [job.name for job in jobs] == ["a=1", "a=2"]
    assert [job.folder for job in jobs] == ["here/4_a=1", "here/5_a=2"]
    [only] = named_jobs([["a=1"]], 0, Path("here"))
    assert only.name == "the only one"
    [slashed] = named_jobs([["b=x/y z"], ["b=2"]], 0, Path("here"))[:1]
    assert slashed.folder == "here/0_b=x,y,z", "a folder in no other"


@pytest.mark.slow
def test_jobs_are_processes_of_their_own(nnlab, tmp_path):
    answer = nnlab("-m", "model=mlp,lenet5", "data=xor", *QUICK)
    assert answer.status == 1
    complete, failed = jobs_of(the_sweep(tmp_path))
    assert (complete["status"], failed["status"]) == ("complete", "failed")
