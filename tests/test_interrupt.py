"""Signals are remembered until a whole step is done; a second one ends at once."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from reliability.bits import status
from reliability.deadly import end, in_a_process
from reliability.groups import left_over
from reliability.lives import PATIENCE, children, wait_for

from nnlab.folder import RunFolder
from nnlab.interrupt import Interrupt, Interrupted
from nnlab.model.mlp import MLP

SLOW = pytest.mark.slow
XOR = ("model=mlp", "data=xor", "trainer.accelerator=cpu", "folder=run")
QUICK = ("trainer.max_epochs=2", "data.repeats=5", "pictures=0", "logger=[]")
LONG = ("trainer.max_epochs=2000",)
RANKS = {  # what a rank that has just been started is seen by
    "ddp_spawn": "spawn_main",
    "ddp_fork": "strategy=ddp_fork",
    "ddp": "nnlab.rank",
    "fsdp2": "nnlab.rank",
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_remembered_until_asked(number):
    interrupt = Interrupt()
    with interrupt.listen():
        interrupt.check()
        assert not interrupt.requested
        os.kill(os.getpid(), number)
        assert interrupt.requested
        with pytest.raises(Interrupted, match=number.name) as raised:
            interrupt.check()
    assert raised.value.exit_status == 128 + number


def test_the_handlers_before_are_the_handlers_after():
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    interrupt = Interrupt()
    with interrupt.listen():
        assert signal.getsignal(signal.SIGINT) is not before[0]
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_handler_of_another_is_replaced():
    interrupt, heard = Interrupt(), []
    with interrupt.listen():
        signal.signal(signal.SIGTERM, lambda *_: heard.append(1))
        interrupt.take_over()
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupt.requested
    assert heard == []


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process_at_once(second):
    process = os.fork()
    if process == 0:
        interrupt = Interrupt()
        with interrupt.listen():
            os.kill(os.getpid(), signal.SIGTERM)
            interrupt.take_over()  # comes too late
            os.kill(os.getpid(), second)
            time.sleep(10)
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -second


def test_it_is_no_exception_that_a_library_would_swallow():
    assert not issubclass(Interrupted, Exception)


def test_a_stop_while_the_model_is_tried_is_a_stop(nnlab, monkeypatch, tmp_path):
    def stop(self, batch):
        raise KeyboardInterrupt

    monkeypatch.setattr("nnlab.model.mlp.MLP.measure", stop)
    handler = signal.getsignal(signal.SIGINT)
    try:
        answer = nnlab("model=mlp")
    finally:
        signal.signal(signal.SIGINT, handler)  # Lightning ignores it from then on
    assert answer.status == 130
    assert answer.err.endswith("nnlab: stopped before anything was written\n")
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_anything_is_written_ends_the_command_with_a_sentence(
    number, nnlab, capfd, tmp_path
):
    def swallow(self, batch):
        with suppress(BaseException):  # as a library may
            end(number)
        return {"loss": self(batch[0]).sum()}

    ended = in_a_process(lambda: setattr(MLP, "measure", swallow), *XOR, *QUICK)
    assert ended == 128 + number
    assert capfd.readouterr().err == "nnlab: stopped before anything was written\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_a_sweep_has_jobs_ends_it_with_a_sentence(
    number, capfd, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    def stop_when_checked():
        monkeypatch.setattr("nnlab.sweep.command._checked", lambda *_: end(number))

    assert in_a_process(stop_when_checked, "-m", "seed=1,2") == 128 + number
    assert capfd.readouterr().err == "nnlab: stopped before a job began\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_command_line_is_imported_is_one_sentence(number):
    code = (
        "import os, sys\n"
        "class Deadly:\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        name == 'nnlab.cli' and os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Deadly())\n"
        "import nnlab.__main__\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 128 + number, done.stderr
    assert done.stderr == "nnlab: stopped before anything was written\n"


def test_what_nohup_ignores_is_ignored_until_the_run_listens(nnlab):
    before = MLP.measure

    def measure(self, batch):
        end(signal.SIGINT)
        return before(self, batch)

    def prepare():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        MLP.measure = measure

    assert in_a_process(prepare, *XOR, *QUICK) == 130
    assert status(Path("run")) == "interrupted"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_folder_is_made_leaves_a_run_that_goes_on(
    number, nnlab, capfd
):
    before = RunFolder.make

    def make(config):
        folder = before(config)
        end(number)
        return folder

    ended = in_a_process(lambda: setattr(RunFolder, "make", make), *XOR, *QUICK)
    assert ended == 128 + number
    said = f"stopped by {signal.Signals(number).name}; continue with resume=run\n"
    assert capfd.readouterr().err == f"nnlab: {said}"
    assert said in Path("run/log.txt").read_text()
    assert status(Path("run")) == "interrupted"
    assert nnlab("resume=run").status == 0


def ranks_of(run: subprocess.Popen, mark: str) -> list[int]:
    """Return the processes that a run has started, once one is Python's."""
    while True:
        found = [each for each in children(run.pid) if mark in shown(each, "cmdline")]
        if any(catches(each, signal.SIGINT) for each in found):
            return found
        assert run.poll() is None, run.communicate()
        time.sleep(0.001)


def catches(process: int, number: int) -> bool:
    caught = shown(process, "status").partition("SigCgt:")[2].split()[:1]
    return bool(int(*(caught or "0"), 16) >> (number - 1) & 1)


def shown(process: int, name: str) -> str:
    with suppress(OSError):  # it has ended
        return Path(f"/proc/{process}/{name}").read_text()
    return ""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks into /proc")
@pytest.mark.parametrize(
    ("strategy", "number"),
    [
        ("ddp_spawn", signal.SIGINT),
        *(
            pytest.param(strategy, number, marks=SLOW)
            for strategy in RANKS
            for number in (signal.SIGINT, signal.SIGTERM)
            if (strategy, number) != ("ddp_spawn", signal.SIGINT)
        ),
    ],
)
def test_a_signal_while_ranks_start_is_one_sentence(strategy, number, tmp_path):
    words = (*XOR, f"strategy={strategy}", "trainer.devices=2", *LONG)
    run = subprocess.Popen(
        [sys.executable, "-m", "nnlab", *words],
        cwd=tmp_path,
        start_new_session=True,  # a group of its own, as a terminal's command has
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(tmp_path / "run/status.json")
        ranks = ranks_of(run, RANKS[strategy])
        if number == signal.SIGINT:  # a terminal's is for all of the group
            os.killpg(run.pid, number)
        else:
            os.kill(run.pid, number)
        _, said = run.communicate(timeout=PATIENCE)
    finally:
        run.kill()
    name = signal.Signals(number).name
    assert said == f"nnlab: stopped by {name}; continue with resume=run\n"
    assert run.returncode == 128 + number
    assert left_over(ranks) == ""
    assert status(tmp_path / "run") == "interrupted"
