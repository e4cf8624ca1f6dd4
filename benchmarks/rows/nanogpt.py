"""nanoGPT's own train.py, from the folder of its repository."""

import re
import shutil
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

from rows.row import Spent, spent

# of its readme: "I only have a macbook"
SETTINGS = (
    *("--device=cpu", "--compile=False", "--eval_iters=20", "--log_interval=1"),
    *("--block_size=64", "--batch_size=12", "--n_layer=4", "--n_head=4"),
    *("--n_embd=128", "--dropout=0.0"),
)


class Trained(NamedTuple):
    """What a run took, seconds of a step as it prints them, its last loss."""

    spent: Spent
    step: float
    loss: float


def prepared(nanogpt: Path, data: Path, folder: Path) -> Path:
    """Copy nanoGPT, and make its Shakespeare from ours as its prepare.py does."""
    copy = folder / "nanoGPT"
    shutil.copytree(
        nanogpt, copy, ignore=shutil.ignore_patterns("*.bin", "out*", ".git")
    )
    shakespeare = copy / "data/shakespeare_char"
    shutil.copy(data / "shakespeare/input.txt", shakespeare)
    # which it imports, and needs only to download what is there
    (shakespeare / "requests.py").touch()
    spent(sys.executable, "prepare.py", folder=shakespeare)
    return copy


def train(folder: Path, steps: int) -> Trained:
    """Run its setting for a CPU."""
    took = spent(
        *(sys.executable, "train.py", "config/train_shakespeare_char.py", *SETTINGS),
        *(f"--max_iters={steps}", f"--lr_decay_iters={steps}"),
        folder=folder,
    )
    times = [float(ms) / 1e3 for ms in re.findall(r"time ([0-9.]+)ms", took.output)]
    losses = re.findall(r"val loss ([0-9.]+)", took.output)
    return Trained(took, statistics.median(times), float(losses[-1]))
