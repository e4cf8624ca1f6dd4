"""The ledger outlives a kill at any moment."""

import json
import os
from pathlib import Path

import pytest

from nnlab.errors import UserError
from nnlab.folder import RunFolder
from nnlab.sweep.job import Job, identity
from nnlab.sweep.ledger import Ledger

WORDS = [["seed=1"], ["seed=2"]]


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    ledger = Ledger(tmp_path, ["seed=1,2"])
    ledger.enrol(WORDS)
    ledger.save(at_once=True)
    return ledger


def again(folder: Path) -> tuple[Ledger, list[Job]]:
    """The ledger as the next sweep finds it."""
    ledger = Ledger.read(folder)
    return ledger, ledger.enrol(WORDS)


def run_of(ledger: Ledger, job: Job, status: str, *files: str) -> RunFolder:
    run = RunFolder(ledger.path(job))
    for file in ("config.yaml", *files):
        (run.path / file).parent.mkdir(parents=True, exist_ok=True)
        (run.path / file).touch()
    run.write_status(status, "why")
    return run


def test_rows_are_found_by_the_hash_of_the_overrides(ledger):
    content = json.loads((ledger.folder / "sweep.json").read_text())
    assert list(content["jobs"]) == [identity(words) for words in WORDS]
    assert content["command"] == ["seed=1,2"]
    row = content["jobs"][identity(["seed=2"])]
    assert row == {
        **{"number": 1, "overrides": ["seed=2"], "folder": "1_seed-2"},
        **{"name": "seed=2", "status": "waiting", "cause": None},
        **{"attempts": 0, "seconds": 0.0, "metrics": {}},
    }


def test_a_kill_between_a_runs_end_and_the_ledger_loses_nothing(ledger):
    job = ledger.enrol(WORDS)[0]
    job.status = "running"
    ledger.save(at_once=True)
    run = run_of(ledger, job, "complete", "report.html")
    run.write_json("result.json", {"metrics": {"test/loss": 0.5}})
    _, [job, _] = again(ledger.folder)
    assert (job.status, job.metrics) == ("complete", {"test/loss": 0.5})


@pytest.mark.parametrize(
    ("found", "status"), [("running", "interrupted"), ("failed", "failed")]
)
def test_what_ran_while_the_sweep_was_killed_is_known(ledger, found, status):
    job = ledger.enrol(WORDS)[0]
    job.status = "running"
    ledger.save(at_once=True)
    run_of(ledger, job, found)
    _, [job, _] = again(ledger.folder)
    assert job.status == status
    assert job.is_to_do(retry_failed=False) == (status == "interrupted")
    assert job.is_to_do(retry_failed=True)


def test_the_time_of_a_job_that_was_killed_with_the_sweep_counts(ledger):
    job = ledger.enrol(WORDS)[0]
    job.status, job.seconds = "running", 5.0  # of an attempt before
    ledger.save(at_once=True)
    run = run_of(ledger, job, "running", "metrics.jsonl")
    for file, moment in (("config", 1000), ("status", 1001), ("metrics", 1007.5)):
        os.utime(next(run.path.glob(f"{file}.*")), (moment, moment))
    found, [job, other] = again(ledger.folder)
    assert job.seconds == 5.0 + 7.5
    assert other.seconds == 0
    found.save(at_once=True)
    _, [job, _] = again(ledger.folder)
    assert job.seconds == 5.0 + 7.5, "once"


def test_a_job_goes_on_from_its_last_checkpoint_only(ledger):
    first, second = ledger.enrol(WORDS)
    run_of(ledger, first, "running", "checkpoints/last.ckpt")
    run = run_of(ledger, second, "running", "checkpoints/best.ckpt")
    assert ledger.continues(first)
    assert not ledger.continues(second)
    assert not run.path.exists(), "it begins anew"
    run_of(ledger, second, "failed", "checkpoints/last.ckpt")
    assert not ledger.continues(second), "what failed by itself begins anew"


def test_a_reader_never_sees_half_of_it(ledger, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda file: 1 / 0)
    before = (ledger.folder / "sweep.json").read_bytes()
    with pytest.raises(ZeroDivisionError):
        ledger.save(at_once=True)
    assert (ledger.folder / "sweep.json").read_bytes() == before


@pytest.mark.parametrize("content", ["{", "[]", '{"jobs": {"a": {"x": 1}}}'])
def test_a_file_that_is_no_ledger_is_refused(tmp_path, content):
    (tmp_path / "sweep.json").write_text(content)
    with pytest.raises(UserError, match=r"sweep\.json cannot be read"):
        Ledger.read(tmp_path)


def test_a_secret_is_not_written_and_still_known(tmp_path):
    ledger = Ledger(tmp_path, ["logger.api_key=abc"])
    [job] = ledger.enrol([["logger.api_key=abc"]])
    ledger.save(at_once=True)
    assert "abc" not in (tmp_path / "sweep.json").read_text()
    assert ledger.words[job.number] == ["logger.api_key=abc"]
