"""Runs that are killed and continued, and what to compare of them."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from reliability.bits import differences, run_differences
from reliability.deadly import STATEFUL as STATEFUL
from reliability.deadly import run_and_end
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nnlab.cli import main


def rows(folder: str = "run") -> list[dict[str, Any]]:
    """Return the rows of a run's metrics.jsonl."""
    lines = Path(folder, "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def checkpoint(folder: str = "run", name: str = "last") -> dict[str, Any]:
    """Return what a checkpoint holds, as torch alone reads it."""
    return torch.load(f"{folder}/checkpoints/{name}.ckpt", weights_only=True)


def same(one: Any, other: Any) -> bool:
    """Whether two nests of containers and tensors are equal to the bit."""
    return differences(one, other) == []


@pytest.fixture
def killed_and_continued(nnlab) -> Callable[..., bool]:
    """Return whether a run that is killed goes on to the bits of one that is not."""

    def compare(*words: str, at_batch: int) -> bool:
        assert nnlab(*STATEFUL, *words, "folder=calm").status == 0
        killed = (*STATEFUL, *words, "folder=killed")
        assert run_and_end(signal.SIGKILL, at_batch, *killed) == -signal.SIGKILL
        assert not Path("killed/result.json").exists()
        answer = nnlab("resume=killed")
        assert answer.status == 0, answer.err
        return run_differences("calm", "killed") == []

    return compare


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
