"""What two runs have in common to the bit, where one was killed and continued."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

# Where a run lies and how often it saves is not what it learned.
NOT_LEARNED = ("folder", "output_dir", "checkpoint_seconds")


def checkpoint(folder: str | Path, name: str = "last") -> dict[str, Any]:
    """Return all that a checkpoint holds but how long it took and where it lies."""
    file = Path(folder, "checkpoints", f"{name}.ckpt")
    content = torch.load(file, weights_only=True)
    content["callbacks"]["Checkpoints"].pop("spent_seconds")
    config = content["nnlab"]["config"]
    for key in NOT_LEARNED:
        config.pop(key, None)
    config["trainer"].pop("max_epochs", None)
    return content


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Return the places where two nests of containers and tensors differ in a bit."""
    if type(one) is not type(other):
        return [place]
    if isinstance(one, Tensor):
        return [] if _same_bits(one, other) else [place]
    if isinstance(one, dict):
        found = [] if one.keys() == other.keys() else [place]
        for key in one.keys() & other.keys():
            found += differences(one[key], other[key], f"{place}/{key}")
        return found
    if isinstance(one, list | tuple):
        found = [] if len(one) == len(other) else [place]
        for index, pair in enumerate(zip(one, other, strict=False)):
            found += differences(*pair, f"{place}/{index}")
        return found
    return [] if repr(one) == repr(other) else [place]  # as repr: nan is nan


def run_differences(
    one: str | Path, other: str | Path, measured: tuple[str, ...] = ()
) -> list[str]:
    """Return where two finished runs differ: checkpoints, curves, result.

    Of curves whose name begins with a word of `measured` only the places count.
    """
    found: list[str] = []
    for name in ("last", "best"):
        pair = (checkpoint(folder, name) for folder in (one, other))
        found += [f"{name}.ckpt{place}" for place in differences(*pair)]
    if _curves(one, measured) != _curves(other, measured):
        found.append("metrics.jsonl")
    results = [json.loads(Path(f, "result.json").read_text()) for f in (one, other)]
    for result in results:
        del result["seconds"], result["processor_seconds"]
    return found + [f"result.json{place}" for place in differences(*results)]


def _curves(folder: str | Path, measured: tuple[str, ...]) -> list[dict[str, Any]]:
    lines = Path(folder, "metrics.jsonl").read_text().splitlines()
    return [
        {key: 0 if key.startswith(measured) else value for key, value in row.items()}
        if measured
        else row
        for row in map(json.loads, lines)
    ]


def status(folder: str | Path) -> str:
    """Return a run's status: running, complete, failed, interrupted."""
    return json.loads(Path(folder, "status.json").read_text())["status"]


def _same_bits(one: Tensor, other: Tensor) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(*(each.reshape(-1).view(torch.uint8) for each in (one, other)))
