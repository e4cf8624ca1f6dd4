"""However two processes are started, it is one run in one folder."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = (
    *("model=mlp", "data=xor", "data.repeats=5", "data.batch_size=2"),
    *("trainer.max_epochs=1", "pictures=0", "logger=[]"),
)
NNLAB = (sys.executable, "-m", "nnlab")
TORCHRUN = (
    *(sys.executable, "-m", "torch.distributed.run"),
    *("--standalone", "--nproc-per-node=2", "-m", "nnlab"),
)


@pytest.fixture
def shell(tmp_path) -> Callable[..., str]:
    """Run a command in an empty folder; return what it printed."""

    def run(*command: str, **environment: str) -> str:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def folders(place: Path) -> list[Path]:
    return [file.parent for file in place.rglob("result.json")]


def assert_one_run_of_two(place: Path) -> None:
    [folder] = folders(place)
    assert json.loads((folder / "status.json").read_text())["status"] == "complete"
    assert "2 processes" in (folder / "log.txt").read_text()
    rows = (folder / "metrics.jsonl").read_text().splitlines()
    assert len(rows) == len(set(rows)), "one process writes"
    assert (folder / "report.html").is_file()
    # 20 rows of the table in batches of two a process
    assert json.loads((folder / "result.json").read_text())["steps"] == 5


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp", "ddp_spawn", "fsdp2"])
def test_nnlab_starts_processes_that_write_one_folder(strategy, shell, tmp_path):
    said = shell(*NNLAB, *TINY, f"strategy={strategy}", "trainer.devices=2")
    assert_one_run_of_two(tmp_path)
    assert said.count("complete in") == 1


@pytest.mark.slow
def test_torchrun_starts_one_run_whatever_the_devices(shell, tmp_path):
    said = shell(*TORCHRUN, *TINY, "strategy=ddp")
    assert_one_run_of_two(tmp_path)
    assert said.count("complete in") == 1
    [folder] = folders(tmp_path)
    shell(*TORCHRUN, f"resume={folder}", "trainer.max_epochs=2")
    assert json.loads((folder / "result.json").read_text())["steps"] == 10


@pytest.mark.slow
def test_slurms_processes_are_one_run(shell, tmp_path):
    script = str(ROOT / "scripts/like_slurm.sh")
    shell("bash", script, "2", *NNLAB, *TINY, "strategy=ddp")
    assert_one_run_of_two(tmp_path)


@pytest.mark.slow
def test_in_a_sweep_each_job_runs_once_in_a_folder_of_its_own(shell, tmp_path):
    said = shell(*NNLAB, "-m", *TINY, "strategy=ddp", "trainer.devices=2", "seed=1,2")
    runs = folders(tmp_path)
    seeds = [json.loads((run / "result.json").read_text())["seed"] for run in runs]
    assert sorted(seeds) == [1, 2]
    assert len({run.parent for run in runs}) == 1, "one sweep, not one a process"
    assert said.count("complete") >= 2


@pytest.mark.slow
def test_a_mistake_under_torchrun_is_said_once_and_writes_nothing(tmp_path):
    command = (*TORCHRUN, *TINY, "data.batch_size=100", "strategy=ddp")
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode != 0
    said = [x for x in done.stderr.splitlines() if x.startswith("nnlab: ")]
    assert len(said) == 1, done.stderr
    assert "data.batch_size" in said[0]
    assert list(tmp_path.rglob("status.json")) == []
    assert time.monotonic() - started < 200
