"""What a sweep promises, shown with the real processes; slow."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]
WORDS = (
    *("seed=range(0,20)", "optimizer.lr=0.01,0.1", "trainer.max_epochs=2"),
    *("data.repeats=2000", "pictures=0", "logger=[]", "checkpoint_seconds=0.1"),
)


def start(name: str, *words: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "nnlab", "-m", f"sweep.name={name}", *words]
    with Path(f"{name}.txt").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def family(process: int) -> list[int]:
    """The process, its children, theirs, and so on."""
    file = Path(f"/proc/{process}/task/{process}/children")
    children = file.read_text().split() if file.is_file() else []
    return [process, *(each for child in children for each in family(int(child)))]


def rows(name: str) -> dict[str, dict[str, Any]]:
    return json.loads(Path(f"outputs/sweep/{name}/sweep.json").read_text())["jobs"]


def await_a_run(sweep: "subprocess.Popen[bytes]", name: str, since: float) -> None:
    """Wait until a job has begun that had not before."""
    root = Path("outputs/sweep", name)
    while sweep.poll() is None:
        files = list(root.glob("*/status.json"))
        if any(file.stat().st_mtime > since for file in files):
            return
        time.sleep(0.02)


@pytest.mark.parametrize("who", ["all", "command"])
def test_killed_five_times_each_job_is_complete_once_to_the_same_bits(
    who, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    draw = random.Random(0)
    for kill in range(5):
        since, sweep = time.time(), start("killed", *WORDS, "sweep.workers=2")
        if kill != 1:  # then at any moment, its imports too
            await_a_run(sweep, "killed", since)
        time.sleep(draw.uniform(0, 2))
        assert sweep.poll() is None, "it was to be killed before its end"
        processes = family(sweep.pid) if who == "all" else [sweep.pid]
        draw.shuffle(processes)
        for process in processes:
            os.kill(process, signal.SIGKILL)
        sweep.wait()
    assert start("killed", *WORDS, "sweep.workers=2").wait() == 0
    assert start("calm", *WORDS).wait() == 0
    killed, calm = rows("killed"), rows("calm")
    assert list(killed) == list(calm)
    assert Counter(job["status"] for job in killed.values()) == {"complete": 40}
    assert max(job["attempts"] for job in killed.values()) > 1
    runs = [path for path in Path("outputs/sweep/killed").iterdir() if path.is_dir()]
    assert len(runs) == 40 + 1, "a folder a job, and the logs"
    for key, job in killed.items():
        ours = Path("outputs/sweep/killed", job["folder"])
        theirs = Path("outputs/sweep/calm", calm[key]["folder"])
        assert result(ours) == result(theirs)
        assert (ours / "report.html").is_file()
        for file in ("best", "last"):
            assert equal(weights(ours, file), weights(theirs, file))


def result(folder: Path) -> dict[str, Any]:
    content = json.loads((folder / "result.json").read_text())
    return {key: value for key, value in content.items() if "seconds" not in key}


def weights(folder: Path, file: str) -> dict[str, torch.Tensor]:
    content = torch.load(folder / f"checkpoints/{file}.ckpt", weights_only=True)
    return content["state_dict"]


def equal(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


def test_eight_starts_at_once_have_eight_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("-m", "trainer.max_epochs=1", "pictures=0", "logger=[]")
    command = [sys.executable, "-m", "nnlab", *words]
    sweeps = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(8)]
    assert [sweep.wait() for sweep in sweeps] == 8 * [0]
    assert len(list(Path("outputs/sweep").glob("*/0_*/result.json"))) == 8


def test_of_two_starts_of_one_name_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("trainer.max_epochs=3000", "pictures=0", "logger=[]")
    since, first = time.time(), start("night", *words)
    await_a_run(first, "night", since)
    assert start("night", *words).wait() == 2
    assert f"in use by process {first.pid}; wait" in Path("night.txt").read_text()
    first.send_signal(signal.SIGTERM)
    assert first.wait() == 143
    [job] = rows("night").values()
    assert job["status"] == "interrupted"
    folder = Path("outputs/sweep/night", job["folder"])
    assert (folder / "checkpoints/last.ckpt").is_file()


def test_forked_jobs_and_fresh_interpreters_reach_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("model=mlp,lenet5", "data=digits", "trainer.max_epochs=1", "pictures=0")
    assert start("forked", *words).wait() == 0
    assert start("fresh", *words, "sweep.fork=false").wait() == 0
    for key, job in rows("forked").items():
        ours = Path("outputs/sweep/forked", job["folder"])
        theirs = Path("outputs/sweep/fresh", rows("fresh")[key]["folder"])
        assert result(ours) == result(theirs)
        assert equal(weights(ours, "last"), weights(theirs, "last"))


def test_two_hundred_jobs_leave_the_sweep_as_small_as_ten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    short = ("trainer.max_epochs=1", "data.repeats=2", "pictures=0", "logger=[]")
    sweep = start("many", "seed=range(0,200)", *short)
    sizes: dict[int, list[tuple[float, int]]] = {}
    while sweep.poll() is None:
        done = Path("many.txt").read_text().count("  complete  ")
        if done in (10, 195):
            sizes[done] = [size(process) for process in family(sweep.pid)[:2]]
        time.sleep(0.02)
    assert sweep.returncode == 0
    for before, after in zip(sizes[10], sizes[195], strict=True):
        assert (after[0] - before[0]) / 185 <= 0.3, "MB a job"
        assert after[1] <= before[1] + 1, "open files; one may be written just now"


def size(process: int) -> tuple[float, int]:
    """Return a process's memory in MB, and its open files."""
    root = Path(f"/proc/{process}")
    pages = int((root / "statm").read_text().split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return memory, len(list((root / "fd").iterdir()))
