import hashlib
import os
import signal
from pathlib import Path

import pytest

from nnlab.corpus.executor.local import Local
from nnlab.corpus.executor.serial import Serial
from nnlab.corpus.executor.slurm import Slurm
from nnlab.corpus.worker import Task
from nnlab.errors import RunFailed, UserError


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["executor=ray", "executor.workers=1"],
        ["executor=ray", "executor.workers=2"],
        ["executor=slurm", "executor.cluster=local", "executor.workers=2"],
    ],
    ids=" ".join,
)
def test_every_engine_makes_the_same_bytes(nnlab, wets, tmp_path, words):
    usual = ["prepare", "data=common_crawl", f"data.source={wets(4, 50)}"]
    usual += ["tokenizer=byte", "data.language=null"]
    assert nnlab(*usual, "data.folder=one", "executor=serial").status == 0
    answer = nnlab(*usual, "data.folder=two", *words)
    assert answer.status == 0, answer.err
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


@pytest.mark.parametrize("engine", [Serial, lambda: Local(workers=1)])
def test_a_task_that_fails_is_one_sentence(engine, tmp_path):
    executor = engine()
    executor.submit(Task(str(tmp_path / "none"), "filter", 3))
    try:
        with pytest.raises(
            RunFailed, match=r"stage filter failed at unit 3, .*: no such file"
        ):
            list(executor.finished(60))
    finally:
        executor.close()


def test_a_worker_that_is_killed_is_one_sentence(tmp_path):
    executor = Local(workers=1)
    executor.submit(Task(str(tmp_path), "filter", 0))
    for worker in executor._pool._processes.values():
        os.kill(worker.pid, signal.SIGKILL)
    try:
        with pytest.raises(RunFailed, match=r"a worker died at stage filter"):
            list(executor.finished(60))
    finally:
        executor.close()


def test_slurm_without_slurm_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="needs sbatch"):
        Slurm(
            cluster="slurm",
            partition=None,
            account=None,
            workers=1,
            minutes=1,
            memory_gb=1,
            logs=str(tmp_path),
        )
