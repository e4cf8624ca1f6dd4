"""Two processes that are stopped or killed end together, and go on to the same bits."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from reliability.bits import run_differences

from nnlab.place import Place, place
from nnlab.ranks import join
from nnlab.record import Record

SLOW = pytest.mark.slow
BATCHES = 7  # an epoch's, of each process: 40 examples in sixes, the rest shared
STATEFUL = (
    *("strategy=ddp_fork", "trainer.devices=2", "trainer.max_epochs=3"),
    *("model.dropout=0.2", "optimizer=momentum", "schedule=cosine"),
    *("trainer.accumulate_grad_batches=2", "trainer.log_every_n_steps=3"),
    *("data.batch_size=3", "data.repeats=10", "pictures=0", "logger=[]"),
)
KILLED = (*STATEFUL, "checkpoint_seconds=0", "folder=run")
STOPPED = (*STATEFUL, "checkpoint_seconds=1000", "folder=run")


@pytest.fixture
def at_batch(monkeypatch) -> Callable[[int, int, Callable[[], None]], None]:
    """Make one process do something once it has done some batches, the first time."""
    before = Record.on_train_batch_end

    def arrange(rank: int, batch: int, act: Callable[[], None]) -> None:
        def deadly(self: Record, trainer: Any, *arguments: Any) -> None:
            before(self, trainer, *arguments)
            done = trainer.fit_loop.total_batch_idx + 1
            if place().rank == rank and done == batch and not Path("done").exists():
                Path("done").touch()
                act()

        monkeypatch.setattr(Record, "on_train_batch_end", deadly)

    return arrange


@pytest.fixture
def undisturbed(nnlab, no_pictures) -> str:
    assert nnlab(*STATEFUL, "checkpoint_seconds=0", "folder=undisturbed").status == 0
    return "undisturbed"


def assert_same_run(one: str, other: str) -> None:
    assert run_differences(one, other) == []


def status() -> dict[str, str]:
    return json.loads(Path("run/status.json").read_text())


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("rank", [1, pytest.param(0, marks=SLOW)])
def test_one_process_killed_ends_the_run_which_goes_on_to_the_same_bits(
    rank, at_batch, undisturbed, nnlab
):
    at_batch(rank, BATCHES + 3, kill_itself)
    answer = nnlab(*KILLED)
    cause = f"process {rank} of 2 was killed by SIGKILL"
    assert answer.status == 1
    assert answer.err == f"nnlab: {cause}; continue with resume=run\n"
    assert status() == {"status": "failed", "cause": cause}
    assert nnlab("resume=run").status == 0
    assert_same_run("run", undisturbed)


@pytest.mark.parametrize(
    ("number", "is_to_all"),
    [
        (signal.SIGTERM, True),
        pytest.param(signal.SIGINT, True, marks=SLOW),
        pytest.param(signal.SIGTERM, False, marks=SLOW),  # the others are told by it
    ],
)
def test_a_stopped_group_saves_together_and_goes_on_to_the_same_bits(
    number, is_to_all, at_batch, undisturbed, nnlab
):
    at_batch(
        1,
        BATCHES + 2,
        lambda: os.kill(os.getppid() if is_to_all else os.getpid(), number),
    )
    started = time.monotonic()
    answer = nnlab(*STOPPED)
    assert answer.status == 128 + number, answer.err
    assert time.monotonic() - started < 60
    assert status() == {"status": "interrupted", "cause": number.name}
    assert nnlab("resume=run", "checkpoint_seconds=0").status == 0
    assert_same_run("run", undisturbed)


def test_a_signal_while_processes_meet_disturbs_nothing(
    nnlab, monkeypatch, no_pictures
):
    def disturbed(place: Place, *, on_gpu: bool) -> None:
        if place.ranks > 1:
            held = signal.pthread_sigmask(signal.SIG_BLOCK, [])
            Path(f"held{place.rank}").write_text(str(signal.SIGTERM in held))
            os.kill(os.getpid(), signal.SIGTERM)
        join(place, on_gpu=on_gpu)

    monkeypatch.setattr("nnlab.run.join", disturbed)
    answer = nnlab(*STOPPED)
    assert answer.status == 143
    assert answer.err == "nnlab: stopped by SIGTERM; continue with resume=run\n"
    assert [Path(f"held{rank}").read_text() for rank in (0, 1)] == ["True", "True"]
    assert status()["status"] == "interrupted"


@pytest.mark.slow
@pytest.mark.parametrize("kill", range(10))
def test_ten_random_kills_cost_no_bit(kill, at_batch, undisturbed, nnlab):
    generator = torch.Generator().manual_seed(kill)
    rank, batch = torch.randint(0, 3 * BATCHES, (2,), generator=generator).tolist()
    at_batch(rank % 2, max(1, batch), kill_itself)
    assert nnlab(*KILLED).status == 1
    assert nnlab("resume=run").status == 0
    assert_same_run("run", undisturbed)


@pytest.fixture
def scontrol(tmp_path, monkeypatch) -> Path:
    """Put a command of that name first; it notes what it was given."""
    place = tmp_path / "bin"
    place.mkdir()
    command = place / "scontrol"
    command.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "asked"


def test_slurms_signal_saves_and_puts_the_job_off(
    at_batch, nnlab, scontrol, monkeypatch, no_pictures
):
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    at_batch(1, BATCHES, lambda: os.kill(os.getppid(), signal.SIGUSR1))
    answer = nnlab(*STOPPED)
    assert answer.status == 128 + signal.SIGUSR1
    assert scontrol.read_text() == "requeue 4711\n", "once, not by every process"
    assert "Slurm will start job 4711 again" in answer.out
    assert status()["status"] == "interrupted"
    assert nnlab("resume=run").status == 0


def test_slurms_signal_without_slurm_saves_and_says_so(nnlab, monkeypatch, no_pictures):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    before = Record.on_train_batch_end

    def ask(self: Record, trainer: Any, *arguments: Any) -> None:
        before(self, trainer, *arguments)
        if trainer.fit_loop.total_batch_idx == 3:
            os.kill(os.getpid(), signal.SIGUSR1)

    monkeypatch.setattr(Record, "on_train_batch_end", ask)
    answer = nnlab("pictures=0", "logger=[]", "folder=run")
    assert answer.status == 128 + signal.SIGUSR1
    assert "this is none: the run is saved" in answer.out
    assert Path("run/checkpoints/last.ckpt").is_file()
