"""Runs that are killed and continued, and what to compare of them."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import Trainer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nnlab.cli import main
from nnlab.record import Record

# Dropout, momentum, a schedule, half-summed gradients, a short last batch: 14 batches
# and 7 steps an epoch.
STATEFUL = (
    "model.dropout=0.2",
    "optimizer=momentum",
    "schedule=cosine",
    "trainer.accumulate_grad_batches=2",
    "trainer.log_every_n_steps=3",
    "trainer.max_epochs=3",
    "data.batch_size=3",
    "data.repeats=10",
    "checkpoint_seconds=0",
    "pictures=0",
    "logger=[]",
)


def rows(folder: str = "run") -> list[dict[str, Any]]:
    """Return the rows of a run's metrics.jsonl."""
    lines = Path(folder, "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def checkpoint(folder: str = "run", name: str = "last") -> dict[str, Any]:
    """Return what a checkpoint holds, as torch alone reads it."""
    return torch.load(f"{folder}/checkpoints/{name}.ckpt", weights_only=True)


def same(one: Any, other: Any) -> bool:
    """Whether two nests of containers and tensors are equal to the bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.fixture
def killed_and_continued(nnlab) -> Callable[..., bool]:
    """Return whether a run that is killed goes on to the bits of one that is not."""

    def compare(*words: str, at_batch: int) -> bool:
        assert nnlab(*STATEFUL, *words, "folder=calm").status == 0
        _kill(at_batch, *STATEFUL, *words, "folder=killed")
        assert not Path("killed/result.json").exists()
        answer = nnlab("resume=killed")
        assert answer.status == 0, answer.err
        for name in ("last", "best"):
            calm, killed = checkpoint("calm", name), checkpoint("killed", name)
            for each in (calm, killed):
                each["callbacks"]["Checkpoints"].pop("spent_seconds")
                each.pop("nnlab")
            assert same(calm, killed), name
        return rows("calm") == rows("killed")

    return compare


def _kill(at_batch: int, *words: str) -> None:
    before = Record.on_train_batch_end

    def deadly(self: Record, trainer: Trainer, *arguments: Any) -> None:
        before(self, trainer, *arguments)
        if trainer.fit_loop.total_batch_idx + 1 == at_batch:
            os.kill(os.getpid(), signal.SIGKILL)

    process = os.fork()
    if process == 0:
        try:
            Record.on_train_batch_end = deadly
            main(words)
        finally:  # whatever happens: this copy of pytest must not go on
            os._exit(99)
    ended = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert ended == -signal.SIGKILL


WATCHING = (
    *("gradient_statistics", "activation_statistics", "dead_units", "lr_monitor"),
    *("memory", "flops", "profiler", "weight_histograms", "embedding_projector"),
    *("checkpoint_top_k", "checkpoint_every_n_epochs", "checkpoint_every_n_steps"),
)


@pytest.fixture(scope="session")
def watched(tmp_path_factory) -> Path:
    """Return the folder of a deep sigmoid network's run that is watched from all sides.

    Three epochs of ten steps; logged is every fifth.
    """
    folder = tmp_path_factory.mktemp("runs") / "watched"
    status = main(
        [
            *("model.hidden_sizes=[4,4,4,4]", "model.activation=sigmoid"),
            *(
                "data.repeats=10",
                "trainer.max_epochs=3",
                "pictures=0",
                "schedule=cosine",
            ),
            *("trainer.log_every_n_steps=5", f"callback=[{','.join(WATCHING)}]"),
            *("callback.lr_monitor.momentum=true", "callback.checkpoint_top_k.k=2"),
            "callback.lr_monitor.weight_decay=true",
            "callback.checkpoint_every_n_steps.every_n_steps=10",
            *("callback.profiler.wait=1", "callback.profiler.warmup=1"),
            *("callback.profiler.steps=3", f"folder={folder}"),
        ]
    )
    assert status == 0
    return folder


@pytest.fixture(scope="session")
def board(watched) -> EventAccumulator:
    """Return what TensorBoard shows of that run."""
    events = EventAccumulator(
        str(watched / "tensorboard"), size_guidance={"histograms": 0}
    )
    events.Reload()
    return events
