"""A preparation that is killed at any moment, and begun again, gives the same bytes."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nnlab


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Nothing is turned off: language, quality, repetition, near copies, masks.
EVERYTHING = ("data.filter.masks.kinds=[email,ip]", "data.shard.validation_share=0.2")
KILLS, KILLS_IN_A_ROW = 20, 4


@pytest.fixture
def start(wets, tmp_path):
    """Begin a preparation in a process of its own."""
    source = wets(4, 300)

    def begin(folder: str, *words: str) -> subprocess.Popen[bytes]:
        package = Path(nnlab.__file__).parents[1]
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "nnlab", "prepare", "data=common_crawl"),
                *(f"data.source={source}", f"data.folder={folder}", "tokenizer=byte"),
                *(*EVERYTHING, *words),
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    return begin


def is_killed(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill it after so long; return whether it was still at work."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def ended(process: subprocess.Popen[bytes]) -> None:
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("engine", ["local", "ray"])
def test_twenty_kills_change_no_byte(start, tmp_path, engine, workers):
    words = [f"executor={engine}", f"executor.workers={workers}"]
    ended(start("calm", "executor=serial"))
    calm = tree(tmp_path / "calm")
    began, timed = time.monotonic(), start("timed", *words)
    while not (tmp_path / "timed/plan.json").is_file() and timed.poll() is None:
        time.sleep(0.01)
    first = time.monotonic() - began  # until there is something to lose
    ended(timed)
    last, draw = time.monotonic() - began, random.Random(workers)
    assert tree(tmp_path / "timed") == calm
    kills = run = 0
    while kills < KILLS:
        run += 1
        for _ in range(KILLS_IN_A_ROW):
            moment = draw.uniform(0.9 * first, last)
            kills += is_killed(start(f"run{run}", *words), moment)
        ended(start(f"run{run}", *words))
        assert tree(tmp_path / f"run{run}") == calm


def test_a_kill_leaves_no_worker_and_nothing_that_the_next_run_does_not_clear(
    start, tmp_path
):
    process = start("out", "executor.workers=2")
    while not list((tmp_path / "out").glob("filter/*.part")) and process.poll() is None:
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    workers = children.read_text().split() if children.is_file() else []
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again, calm = (
        start("out", "executor.workers=2"),
        start("calm", "executor.workers=1"),
    )
    assert [each.communicate() and each.returncode for each in (again, calm)] == [0, 0]
    assert tree(tmp_path / "out") == tree(tmp_path / "calm")
    assert not any(is_alive(int(worker)) for worker in workers)


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_ctrl_c_stops_in_a_word_and_the_same_command_goes_on(start, tmp_path):
    process = start("out", "executor.workers=2")
    while not list((tmp_path / "out").glob("filter/*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in said
    again = start("out", "executor.workers=2")
    again.communicate()
    assert again.returncode == 0
