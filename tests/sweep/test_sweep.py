"""A sweep from its command to its ledger: nothing done twice, nothing lost."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from reliability.typos import SWEEPS

from nnlab.folder import RunFolder
from nnlab.sweep import command, pool
from nnlab.sweep.devices import Devices
from nnlab.sweep.job_server import JobServer


def statuses(jobs: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: job["status"] for name, job in jobs.items()}


@pytest.fixture
def meanwhile(monkeypatch):
    """Do something in the sweep's process, once a file is there."""

    def arrange(pattern: str, do) -> None:
        hear, done = JobServer.news, []

        def and_do(server, seconds):
            if not done and any(Path("outputs/sweep").glob(pattern)):
                done.append(do())
            return hear(server, seconds)

        monkeypatch.setattr(JobServer, "news", and_do)

    return arrange


def test_one_failing_job_fails_alone_and_its_cause_is_told(forked, sweep):
    answer, jobs = sweep("model=lenet5,mlp", "data=xor")
    assert answer.status == 1
    assert statuses(jobs) == {"model=lenet5": "failed", "model=mlp": "complete"}
    failed, complete = jobs["model=lenet5"], jobs["model=mlp"]
    assert "data=xor" in failed["cause"]
    assert f"(model=lenet5) failed: {failed['cause']}" in answer.err
    folder = Path("outputs/sweep/night")
    assert not (folder / failed["folder"]).exists(), "it failed before it began"
    result = json.loads((folder / complete["folder"] / "result.json").read_text())
    assert result["metrics"] == complete["metrics"]
    assert result["model"] == "mlp"
    assert "accuracy" in answer.out, "the table at the end"
    assert {path.name for path in folder.iterdir()} == {
        *(complete["folder"], "logs", "sweep.json", ".lock", ".jobs.lock")
    }


def test_the_same_command_does_only_what_is_missing(instant, sweep):
    first, before = sweep("seed=1,2")
    assert first.status == 0, first.err
    again, after = sweep("seed=1,2")
    assert again.status == 0
    assert "complete already" in again.err
    assert "complete already" not in first.err
    assert len(instant.started) == 2
    assert after == before


def test_more_values_are_added_and_another_sweep_is_refused(instant, sweep):
    _, before = sweep("seed=1")
    answer, after = sweep("seed=2,1")
    assert answer.status == 0, answer.err
    assert [job["number"] for job in after.values()] == [0, 1]
    assert {job["attempts"] for job in after.values()} == {1}
    assert after["seed=1"]["folder"] == before["the only one"]["folder"]
    answer, refused = sweep("seed=3,4")
    assert answer.status == 2
    assert "sweep.name=night is another sweep (seed=2,1" in answer.err
    assert answer.err.count("\n") == 1
    assert refused == after
    answer, refused = sweep("seed=1")
    assert answer.status == 2
    assert "with a job that this one has not (seed=2); " in answer.err
    assert "fewer or others need another name" in answer.err
    assert refused == after


def test_the_order_of_the_words_makes_no_other_sweep(instant, sweep):
    sweep("seed=1", "threads=1")
    answer, jobs = sweep("threads=1", "seed=1", "sweep.workers=2")
    assert answer.status == 0, answer.err
    assert jobs["the only one"]["attempts"] == 1


def test_a_job_asked_for_twice_is_done_once(instant, sweep):
    answer, jobs = sweep("seed=1,1")
    assert (answer.status, len(jobs), len(instant.started)) == (0, 1, 1)


def test_a_removed_run_is_made_again(instant, sweep):
    _, before = sweep("seed=1,2")
    folder = Path("outputs/sweep/night", before["seed=2"]["folder"])
    shutil.rmtree(folder)
    answer, after = sweep("seed=1,2")
    assert answer.status == 0, answer.err
    assert [job["attempts"] for job in after.values()] == [1, 2]
    assert after["seed=2"]["metrics"] == before["seed=2"]["metrics"]


def test_what_failed_is_tried_again_only_when_it_is_asked_for(instant, sweep):
    instant.fails = {0}
    assert sweep("seed=1,2")[0].status == 1
    answer, jobs = sweep("seed=1,2")
    assert answer.status == 1
    assert "sweep.retry=failed tries again what failed" in answer.err
    assert [job["attempts"] for job in jobs.values()] == [1, 1]
    instant.fails = set()
    answer, jobs = sweep("seed=1,2", "sweep.retry=failed")
    assert answer.status == 0
    assert [job["attempts"] for job in jobs.values()] == [2, 1]


def test_fail_fast_stops_at_the_first_failure(instant, sweep):
    instant.fails, instant.hangs = {1}, {0}
    words = ("seed=1,2,3", "sweep.fail_fast=true", "sweep.workers=2")
    answer, jobs = sweep(*words)
    assert answer.status == 1
    assert list(statuses(jobs).values()) == ["interrupted", "failed", "waiting"]
    assert instant.signals == [(0, signal.SIGTERM)], "asked to save and end"
    assert "job 1 failed, and sweep.fail_fast=true; 1 of 3 jobs not" in answer.err


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_stopped_sweep_keeps_what_is_finished_and_goes_on(
    number, nnlab, forked, meanwhile
):
    # The first job is short; the second is stopped once it has begun to train.
    meanwhile("night/1_*/checkpoints/last.ckpt", lambda: os.kill(os.getpid(), number))
    words = ("-m", "trainer.max_epochs=1,100000,2", "pictures=0", "logger=[]")
    words += ("sweep.name=night", "checkpoint_seconds=0", "data.repeats=2")
    words += ("sweep.workers=1",)
    answer = nnlab(*words)
    assert answer.status == 128 + number
    assert "the same command continues it" in answer.err
    folder = Path("outputs/sweep/night")
    content = json.loads((folder / "sweep.json").read_text())
    finished, stopped, waiting = content["jobs"].values()
    assert content["status"] == "interrupted"
    assert finished["status"] == "complete"
    assert stopped["status"] == "interrupted"
    assert stopped["cause"] == f"stopped by {signal.Signals(number).name}"
    assert waiting["status"] == "waiting"
    assert not (folder / waiting["folder"]).exists()
    run = RunFolder(folder / stopped["folder"])
    assert run.read_json("status.json")["status"] == "interrupted"
    last = torch.load(run.checkpoints / "last.ckpt", weights_only=True)
    # As if it had been asked for a little more than it had done.
    run.write_config(
        {**run.config(), "trainer": {**run.config()["trainer"], "max_epochs": -1,
         "max_steps": last["global_step"] + 5}}, run.overrides(),
    )  # fmt: skip
    answer = nnlab(*words)
    assert answer.status == 0, answer.err
    finished, stopped, waiting = json.loads((folder / "sweep.json").read_text())[
        "jobs"
    ].values()
    assert [j["attempts"] for j in (finished, stopped, waiting)] == [1, 2, 1]
    result = run.read_json("result.json")
    assert result["steps"] == last["global_step"] + 5
    story = (folder / "logs" / f"{stopped['folder']}.txt").read_text()
    assert f"continuing from step {last['global_step']:,}" in story


def test_each_way_to_go_wrong_is_told_and_the_others_complete(
    misbehaving, forked, sweep, monkeypatch
):
    # Its time is up once it hangs, however slow the machine.
    late = pool.Running.is_late_after
    monkeypatch.setattr(
        pool.Running,
        "is_late_after",
        lambda its, limit, now: (
            "hang" in its.job.name
            and Path("hanging").exists()
            and late(its, limit, now + 1e6)
        ),
    )
    monkeypatch.setattr(pool, "TIMEOUT_GRACE", 0.2)
    chosen, how = misbehaving
    ways = "raise,behave,exit,leave,kill,crash,hang"
    answer, jobs = sweep(
        chosen, how.format(ways), "sweep.timeout=600", "sweep.workers=3"
    )
    assert answer.status == 1
    causes = {name.rpartition("=")[2]: job["cause"] for name, job in jobs.items()}
    assert causes.pop("raise").startswith("the run failed: RuntimeError: as it was ask")
    assert causes == {
        "behave": None,
        "exit": "exited with status 3 before it was complete",
        "leave": "exited with status 0 before it was complete",
        "kill": "killed by SIGKILL",
        "crash": "killed by SIGSEGV",
        "hang": "not over after sweep.timeout=600 seconds",
    }
    for job in jobs.values():
        told = f"job {job['number']} ({job['name']}) {job['status']}: {job['cause']}"
        assert (told in answer.err) == (job["status"] != "complete")
    assert jobs["callback.misbehave.how=kill"]["status"] == "interrupted"


def test_the_servers_death_costs_the_jobs_it_had_and_no_others(
    forked, sweep, meanwhile
):
    servers: list[JobServer] = []
    begin = JobServer._begin
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            JobServer, "_begin", lambda self: (servers.append(self), begin(self))
        )
        meanwhile("night/0_*/config.yaml", lambda: servers[0]._process.kill())
        answer, jobs = sweep("trainer.max_epochs=100000,1", "sweep.workers=1")
    assert answer.status == 1
    lost, other = jobs.values()
    assert (lost["status"], other["status"]) == ("interrupted", "complete")
    assert lost["cause"] == "the process that jobs come from was killed"


def test_jobs_that_had_not_begun_are_not_lost_with_the_server(instant, sweep):
    deaths = [1, 1]
    news = instant.news

    def die_first(seconds):
        if deaths:
            deaths.pop()
            instant.told.clear()
            for folder in Path("outputs/sweep").glob("*/[0-9]_*"):
                shutil.rmtree(folder)
            raise ConnectionError
        return news(seconds)

    instant.news, instant.restart = die_first, lambda: None
    answer, jobs = sweep("seed=1,2")
    assert answer.status == 0, answer.err
    assert [job["attempts"] for job in jobs.values()] == [1, 1]
    deaths += 9 * [1]
    answer, jobs = sweep("seed=3,4,5", name="other")
    assert answer.status == 1
    assert "is killed time and again; 3 of 3 jobs not started" in answer.err


def test_a_sweep_in_use_is_refused_in_one_sentence(instant, sweep):
    sweep("seed=1")
    with RunFolder(Path("outputs/sweep/night")).acquire():
        answer, _ = sweep("seed=1")
    assert answer.status == 2
    assert f"is in use by process {os.getpid()}" in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(("words", "said"), SWEEPS.values(), ids=SWEEPS)
def test_a_mistake_in_any_job_stops_all_before_the_first(
    words, said, instant, nnlab, tmp_path
):
    answer = nnlab(*words.split())
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_key_left_at_its_default_is_swept_plainly(instant, sweep):
    _, jobs = sweep("trainer.gradient_clip_val=0.5,1")
    names = ["+trainer.gradient_clip_val=0.5", "+trainer.gradient_clip_val=1"]
    assert list(jobs) == names
    assert [words[1] for words in instant.started] == names


def test_nothing_to_sweep_is_a_sweep_of_one(instant, sweep):
    answer, jobs = sweep()
    assert answer.status == 0, answer.err
    assert list(jobs) == ["the only one"]


def test_a_secret_is_in_no_file_of_the_sweep(forked, sweep):
    answer, _ = sweep("+data_api_key=s3cr3t", "seed=1")
    assert answer.status == 0, answer.err
    files = [path for path in Path("outputs/sweep/night").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"s3cr3t" in path.read_bytes()]


QUESTIONS = {
    "--cfg job": ("# job 1 of 2", "\nseed: 2"),
    "--help": ("nnlab - a lab bench", "seed"),
    "--info defaults": ("Defaults List", ""),
}


@pytest.mark.parametrize(("flag", "said"), QUESTIONS.items(), ids=QUESTIONS)
def test_a_question_about_a_sweep_is_answered_and_nothing_runs(
    flag, said, nnlab, tmp_path
):
    answer = nnlab("-m", *flag.split(), "seed=1,2")
    assert answer.status == 0, answer.err
    assert all(words in answer.out for words in said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("fork", ["true", "false"])
def test_jobs_are_processes_of_their_own(fork, nnlab):
    words = (
        "model=mlp,lenet5",
        "data=xor",
        f"sweep.fork={fork}",
        "trainer.max_epochs=1",
    )
    answer = nnlab("-m", *words, "sweep.name=night", "pictures=0", "logger=[]")
    assert answer.status == 1
    jobs = json.loads(Path("outputs/sweep/night/sweep.json").read_text())["jobs"]
    assert [job["status"] for job in jobs.values()] == ["complete", "failed"]


def test_jobs_in_one_process_are_refused(instant, nnlab):
    answer = nnlab("-m", "seed=1,2", "hydra/launcher=basic")
    assert answer.status == 2
    assert "hydra/launcher=basic would run all jobs in one process" in answer.err


def test_each_job_on_a_gpu_is_told_of_its_own(instant, sweep, monkeypatch):
    # No GPU is here: the jobs say that they are for one once they have been checked.
    monkeypatch.setattr(command, "gpus_here", lambda environment, count: ["4", "7"])
    take = Devices.take
    gpu = {"accelerator": "gpu", "devices": 1}
    monkeypatch.setattr(Devices, "take", lambda self, trainer: take(self, gpu))
    answer, _ = sweep("seed=1,2,3,4", "sweep.workers=4")
    assert answer.status == 0, answer.err
    given = [each["CUDA_VISIBLE_DEVICES"] for each in instant.environments]
    assert given == ["4", "7", "4", "7"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_the_table_is_made_loses_nothing(
    number, instant, sweep, monkeypatch
):
    conclude = command.conclude

    def stopped(pool, **given):
        os.kill(os.getpid(), number)
        return conclude(pool, **given)

    monkeypatch.setattr(command, "conclude", stopped)
    answer, _ = sweep("seed=1,2")
    assert answer.status == 128 + number
    content = json.loads(Path("outputs/sweep/night/sweep.json").read_text())
    assert content["status"] == "complete"
    assert "before anything was written" not in answer.err


def test_what_every_job_is_refused_for_is_told_once(sweep):
    answer, _ = sweep("seed=1,2,3", "monitor.metric=val/nothing")
    assert answer.status == 1
    assert "nnlab: each of 3 jobs failed: monitor.metric=val/nothing is" in answer.err
    assert answer.err.count("val/nothing is not measured") == 1
