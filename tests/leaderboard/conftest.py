"""Runs' folders as nnlab writes them, with results that are made up."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml


@pytest.fixture
def made_up(tmp_path, monkeypatch) -> Callable[..., Path]:
    """Return a maker of runs' folders below outputs; each is newer than the last."""
    monkeypatch.chdir(tmp_path)
    clock = iter(range(1000, 10**6))

    def make(
        name: str,
        model: str,
        seed: int,
        value: float | None,
        settings: dict | None = None,
        status: str = "complete",
        steps: int = 20,
    ) -> Path:
        folder = tmp_path / "outputs" / name
        folder.mkdir(parents=True)
        config = {
            "seed": seed,
            "folder": str(folder),
            "monitor": {"metric": "val/loss", "mode": "min"},
            "choices": {"model": model, "data": "xor"},
            "model": {"_target_": f"x.{model}", "width": 8},
            "data": {"seed": seed},
            "optimizer": {"lr": 0.1, **(settings or {})},
        }
        file = folder / "config.yaml"
        file.write_text(yaml.safe_dump(config))
        now = next(clock)
        os.utime(file, (now, now))
        said = {"status": status, "cause": None if value is not None else "it broke"}
        (folder / "status.json").write_text(json.dumps(said))
        rows = [
            {"step": step, "val/accuracy": (value or 0) * step / steps}
            for step in range(0, steps + 1, 5)
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "metrics.jsonl").write_text(lines)
        if value is not None:
            metrics = {"test/accuracy": value, "test/loss": 1 - value}
            size = {"mlp": 322, "lenet5": 61706}.get(model, 1000)
            result = {"metrics": metrics, "parameters": size, "seconds": 2.0 + seed}
            (folder / "result.json").write_text(json.dumps(result))
        return folder

    return make


@pytest.fixture
def two_models(made_up) -> None:
    """Three seeds of two models, the second better, and one that failed."""
    for seed, value in ((1, 0.90), (2, 0.92), (3, 0.94)):
        made_up(f"mlp{seed}", "mlp", seed, value)
    for seed, value in ((1, 0.95), (2, 0.975), (3, 0.99)):
        made_up(f"lenet5{seed}", "lenet5", seed, value)
    made_up("lenet54", "lenet5", 4, None, status="failed")
