"""The processes of a run end together, and none is left behind."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from nnlab import group
from nnlab.group import run_group
from nnlab.interrupt import Interrupt

SOON = 20  # seconds in which something must have happened, on a busy machine


def write_place(job) -> int:
    Path(job.folder, str(job.place.rank)).write_text(str(os.getpid()))
    return 0


def fail_as_rank_1(job) -> int:
    if job.place.rank == 1:
        return 3
    time.sleep(600)
    return 0


def wait_for_a_signal(job) -> int:
    interrupt = Interrupt(is_patient=True)
    with interrupt.listen():
        write_place(job)
        while interrupt.number is None:
            time.sleep(0.01)
    return 128 + interrupt.number


def hear_as_rank_0(job) -> int:
    if job.place.rank == 0:
        Interrupt(is_patient=True).take_over()
    write_place(job)
    until = time.monotonic() + 2 * SOON
    while time.monotonic() < until:
        time.sleep(0.01)
    return 0


def start(folder, work, interrupt=None, start="fork"):
    interrupt = interrupt or Interrupt()
    return run_group({}, str(folder), 2, start=start, work=work, interrupt=interrupt)


def pids(folder) -> list[int]:
    deadline = time.monotonic() + SOON
    files = [Path(folder, "0"), Path(folder, "1")]
    while not all(file.is_file() and file.read_text() for file in files):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return [int(file.read_text()) for file in files]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_every_process_has_its_own_place(tmp_path):
    assert start(tmp_path, write_place) is None
    first, second = pids(tmp_path)
    assert len({first, second, os.getpid()}) == 3


def test_one_that_fails_is_named_and_ends_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(group, "GRACE_SECONDS", 0.1)
    assert start(tmp_path, fail_as_rank_1) == (1, 3)


def test_a_signal_is_passed_on_and_all_end(tmp_path):
    interrupt = Interrupt()

    def stop():
        pids(tmp_path)
        interrupt.number = signal.SIGTERM

    threading.Thread(target=stop).start()
    ended = start(tmp_path, wait_for_a_signal, interrupt)
    assert ended is not None
    assert ended[1] == 128 + signal.SIGTERM  # of whichever was seen to end first
    assert not any(map(is_alive, pids(tmp_path)))


def test_one_that_is_asked_before_it_listens_ends_all_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(group, "GRACE_SECONDS", 2 * SOON)
    interrupt = Interrupt()

    def stop():
        pids(tmp_path)
        interrupt.number = signal.SIGTERM

    threading.Thread(target=stop).start()
    started = time.monotonic()
    with interrupt.listen():  # a copy has not heard what its starter has
        assert start(tmp_path, hear_as_rank_0, interrupt) == (1, -signal.SIGTERM)
    assert time.monotonic() - started < SOON
    assert not any(map(is_alive, pids(tmp_path)))


def test_none_outlives_a_starter_that_was_killed(tmp_path):
    starter = os.fork()
    if starter == 0:
        try:
            start(tmp_path, wait_for_a_signal)
        finally:
            os._exit(0)
    processes = pids(tmp_path)
    os.kill(starter, signal.SIGKILL)
    os.waitpid(starter, 0)
    deadline = time.monotonic() + SOON
    while any(map(is_alive, processes)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_command_is_given_its_job_and_no_command_line(tmp_path, monkeypatch):
    answer = (
        "import pickle, sys, os; job = pickle.load(sys.stdin.buffer); "
        "from nnlab.place import place; assert place() == job.place; "
        "open(f'{job.folder}/{job.place.rank}', 'w').write(str(os.getpid()))"
    )
    monkeypatch.setattr(group, "COMMAND", (sys.executable, "-c", answer))
    assert start(tmp_path, write_place, start="command") is None
    assert len(set(pids(tmp_path))) == 2


@pytest.mark.parametrize("method", ["fork"])
def test_what_was_printed_before_is_not_printed_again(method, tmp_path, capfd):
    sys.stdout.write("once")
    start(tmp_path, write_place, start=method)
    sys.stdout.flush()
    assert capfd.readouterr().out == "once"
