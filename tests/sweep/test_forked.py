"""A copy of a process: what it ignores, what it reads, how it ends."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from nnlab.sweep import forked
from nnlab.sweep.forked import Forked, can_fork


def told(say) -> tuple[Forked, str]:
    """Fork a copy that says something; return both."""
    reader, writer = os.pipe()

    def work() -> None:
        os.write(writer, str(say()).encode())

    copy = Forked(work, ignored=[signal.SIGTERM], keep=writer)
    os.close(writer)
    with os.fdopen(reader) as file:
        return copy, file.read()


def test_a_copy_is_a_session_of_its_own_and_reads_nothing():
    copy, said = told(lambda: [os.getsid(0), os.getpid(), os.read(0, 9)])
    copy.wait()
    assert said == str([copy.pid, copy.pid, b""])


def test_a_copy_holds_no_lock_of_the_other_process(tmp_path):
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        copy = Forked(signal.pause, ignored=[], keep=2)
    try:
        with (tmp_path / "lock").open() as file:
            end = time.monotonic() + 60
            while not is_free(file):
                assert time.monotonic() < end
                time.sleep(0.01)
        os.kill(copy.pid, 0)  # it is alive
    finally:
        copy.kill()
        copy.wait()


def is_free(file) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_a_copy_ignores_what_is_not_for_it_and_the_other_process_does_not():
    def state():
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        return signal.getsignal(signal.SIGTERM), sorted(blocked)

    before = state()
    copy, said = told(state)
    copy.wait()
    assert said == str((signal.SIG_IGN, before[1]))
    assert state() == before


def test_a_copy_that_fails_ends_with_a_status_and_goes_no_further(capfd, monkeypatch):
    monkeypatch.setattr(sys, "stderr", sys.__stderr__)  # pytest's own is closed there

    def fail() -> None:
        raise KeyboardInterrupt

    copy = Forked(fail, ignored=[], keep=2)
    assert os.waitstatus_to_exitcode(os.waitpid(copy.pid, 0)[1]) == 1
    assert "KeyboardInterrupt" in capfd.readouterr().err


def test_a_copy_is_ended():
    copy = Forked(lambda: signal.pause(), ignored=[signal.SIGTERM], keep=2)
    os.kill(copy.pid, signal.SIGTERM)
    copy.kill()
    assert os.waitstatus_to_exitcode(os.waitpid(copy.pid, 0)[1]) == -signal.SIGKILL
    copy.kill()
    copy.wait()  # that it is over is no mistake


def test_a_process_with_threads_or_what_starts_them_is_not_copied(monkeypatch):
    assert "torch" in sys.modules
    assert not can_fork()
    monkeypatch.setattr(forked, "THREADED", ())
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    assert not can_fork()
    done.set()
    thread.join()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_server_of_a_command_is_its_copy(tmp_path):
    code = (
        "from pathlib import Path\n"
        "from nnlab.sweep.forked import Forked\n"
        "from nnlab.sweep.job_server import JobServer\n"
        "with JobServer(fork=True) as server:\n"
        "    assert isinstance(server._process, Forked)\n"
        "    first = server.look([], is_here=True)\n"
        "    place = Path('/proc', str(server._process.pid))\n"
        "    assert len([*(place / 'task').iterdir()]) == 1\n"
        "    assert '/dev/nvidia' not in (place / 'maps').read_text()\n"
        "    server._process.kill()\n"
        "    assert server.look([], is_here=True) == first\n"
        "    print('looked twice')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout == "looked twice\n", done.stderr
