"""A new model is exactly three files: one is added to a copy of nnlab, and runs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

CODE = '''\
"""Nearest prototype: each class has a point, and the nearest one wins."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.learner import Learner
from nnlab.limits import Count


class NearestPrototype(Learner):
    """Scores a point by its distance to `prototypes` points of each class."""

    def __init__(self, *, input_size: Count, classes: Count, prototypes: Count) -> None:
        super().__init__()
        self.points = nn.Parameter(torch.rand(classes, prototypes, input_size))

    def forward(
        self, x: Float[Tensor, "batch inputs"]
    ) -> Float[Tensor, "batch classes"]:
        offsets = x[:, None, None] - self.points  # (batch, classes, prototypes, inputs)
        return -offsets.square().sum(dim=-1).amin(dim=-1)

    def measure(
        self, batch: tuple[Float[Tensor, "batch inputs"], Int[Tensor, " batch"]]
    ) -> dict[str, Float[Tensor, ""]]:
        x, label = batch
        scores = self(x)
        return {
            "loss": F.cross_entropy(scores, label),
            "accuracy": (scores.argmax(dim=1) == label).float().mean(),
        }
'''
CONFIG = """\
# @package _global_
# Nearest prototype: a few points for each class.
model:
  _target_: nnlab.model.nearest_prototype.NearestPrototype
  input_size: ???  # the data say
  classes: ???
  prototypes: 2
optimizer: {lr: 0.1}
trainer: {max_epochs: 3}
"""
TEST = """\
import torch


def test_gives_one_score_per_class(build):
    model = build(
        "model=nearest_prototype", "model.input_size=3", "model.classes=4"
    )
    assert model(torch.rand(5, 3)).shape == (5, 4)
"""
FILES = {
    "src/nnlab/model/nearest_prototype.py": CODE,
    "conf/model/nearest_prototype.yaml": CONFIG,
    "tests/model/test_nearest_prototype.py": TEST,
}


# One process for all of it: starting one costs more than what it does.
COMMANDS = """\
import sys
import pytest
assert pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]) == 0
from nnlab.cli import main
assert main(["list", "models"]) == 0
assert main(["model=nearest_prototype", "folder=run"]) == 0
"""


@pytest.fixture
def copy(tmp_path) -> Path:
    """Return a copy of this checkout with one model more, by three files."""
    copy = tmp_path / "nnlab"
    copy.mkdir()
    shutil.copy(ROOT / "pyproject.toml", copy)
    leave = shutil.ignore_patterns("__pycache__")
    for part in ("src", "conf", "plugins", "tests"):
        shutil.copytree(ROOT / part, copy / part, ignore=leave)
    for name, content in FILES.items():
        assert not (copy / name).exists()
        (copy / name).write_text(content, encoding="utf-8")
    return copy


def test_a_new_model_is_three_files(copy):
    tests = ("tests/test_layout.py", "tests/model/test_nearest_prototype.py")
    only = ("-k", "share_their_names and model or nearest_prototype")
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, *tests, *only],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "NNLAB_PLUGINS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nearest prototype: a few points for each class." in done.stdout
    result = json.loads((copy / "run/result.json").read_text())
    assert result["model"] == "nearest_prototype"
    assert result["metrics"]["test/accuracy"] == 1.0, "xor, by two points a class"
    assert " passed" in done.stdout
