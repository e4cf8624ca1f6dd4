"""A finished run's folder, as small as one can be."""

import json
from pathlib import Path

import pytest
import torch

from nnlab.picture.image_grid import image_grid

ROWS = [
    {"step": 50, "epoch": 0, "train/loss": 0.69, "train/accuracy": 0.5},
    {"step": 50, "epoch": 0, "learning_rate": 0.05},
    {"step": 100, "epoch": 0, "train/loss": 0.4, "train/accuracy": 0.75},
    {"step": 100, "epoch": 0, "val/loss": 0.5, "val/accuracy": 0.75},
    {"step": 100, "epoch": 0, "train/loss_epoch": 0.55},
    {"step": 100, "epoch": 0, "test/loss": 0.45},
]
RESULT = {
    "model": "mlp",
    "data": "xor",
    "experiment": "mlp_xor",
    "seed": 3,
    "metrics": {"test/accuracy": 0.9875, "test/loss": 0.04321, "val/loss": 0.0512},
    "parameters": 1234,
    "steps": 100,
    "epochs": 1,
    "best_epoch": 0,
    "seconds": 12.34,
    "reference": {
        "metric": "test/accuracy",
        "published": 0.99,
        "target": 0.98,
        "better": "higher",
        "source": "Rumelhart, Hinton & Williams (1986)",
        "reached": 0.9875,
        "met": True,
    },
    "remark": "Four points, of which <all> are right.",
}
CONFIG = """\
seed: 3
model: {_target_: nnlab.model.mlp.MLP, hidden_sizes: [8, 4], activation: tanh}
optimizer: {lr: 0.05, nesterov: true}
logger: {api_key: sk-very-secret}
note: <script>alert("config")</script>
trainer: {max_epochs: 10}
resume: null
"""


def draw(path: Path, shade: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image_grid(torch.full((1, 2, 2), shade)).savefig(path, dpi=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a complete run with every file a run can leave."""
    run = tmp_path / "outputs/mlp_xor/2026-01-02_03-04-05-000006"
    (run / "checkpoints").mkdir(parents=True)
    (run / "tensorboard").mkdir()
    (run / "checkpoints/best.ckpt").touch()
    (run / "config.yaml").write_text(CONFIG)
    (run / "overrides.txt").write_text("experiment=mlp_xor\nlogger.api_key=sk-shown\n")
    (run / "status.json").write_text('{"status": "complete", "cause": null}')
    (run / "environment.json").write_text(
        '{"nnlab": "0.1.0", "git": {"dirty": false}, "plugins": ["a 1.0", "b 2.0"]}'
    )
    (run / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    (run / "result.json").write_text(json.dumps(RESULT))
    draw(run / "figures/decision_boundary.png", 0.1)
    draw(run / "figures/feature_maps.png", 0.2)
    for step in (0, 50, 1000):
        name = f"figures/over_training/decision_boundary_{step:08d}.png"
        draw(run / name, 0.3 + step / 2000)
    return run


@pytest.fixture
def failed_folder(tmp_path: Path) -> Path:
    """Return the folder of a run that failed before it measured anything."""
    run = tmp_path / "outputs/gpt_shakespeare/2026-01-02_03-04-05-000007"
    run.mkdir(parents=True)
    cause = "the loss is nan at step <3>"
    (run / "status.json").write_text(json.dumps({"status": "failed", "cause": cause}))
    return run
