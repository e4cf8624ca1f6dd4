"""The verb `rerun`: a run made again, and whether the same bits came out."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from nnlab import run
from nnlab.build import Config
from nnlab.checkpoint import read_checkpoint
from nnlab.errors import UserError
from nnlab.folder import RunFolder
from nnlab.numerals import counted
from nnlab.older import SECTIONS, completed
from nnlab.past.asked import asked, check_known, run_in
from nnlab.past.diff import differences
from nnlab.plugins import find_plugins
from nnlab.report.run_reading import RunReading
from nnlab.screen import screen

SAME, OTHER = 0, 1
TOLD = 5  # of the differences, the first ones


def rerun(words: Sequence[str]) -> int:
    """Make a run again, with its own settings, and compare: rerun run=A [folder=B].

    Ends with 0 where every weight and every metric has the same bits, else with 1.

    Raises:
        UserError: where the run is not complete, or cannot be made again.
    """
    given = asked(words)
    check_known("rerun", given, ["run", "folder"])
    if "run" not in given:
        raise UserError("rerun needs a run: nnlab rerun run=<a folder in outputs>")
    first = run_in(given["run"], "run")
    if first.status != "complete":
        raise UserError(
            f"run={first.path} is {first.status}, so there is nothing to compare with; "
            f"finish it first: resume={first.path}"
        )
    config = completed(RunFolder(first.path).config(), f"run={first.path}", SECTIONS)
    config["folder"] = str(given.get("folder") or _beside(config))
    console = screen()
    run.train(
        config, overrides=first.overrides, plugins=find_plugins(), console=console
    )
    second = RunReading(Path(config["folder"]))
    found = [*bit_differences(first, second)]
    console.print(_verdict(first, second, found), soft_wrap=True)
    return OTHER if found else SAME


def _beside(config: Config) -> Path:
    choices = config["choices"]
    time = datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")
    return Path(config["output_dir"]) / f"{choices['model']}_{choices['data']}" / time


def bit_differences(one: RunReading, other: RunReading) -> Iterator[str]:
    """Yield, in words, each metric and each tensor that is not the same bit by bit."""
    for name in sorted(one.metrics.keys() | other.metrics.keys()):
        pair = one.metrics.get(name), other.metrics.get(name)
        if pair[0] != pair[1] and not all(_is_nan(value) for value in pair):
            yield f"{name}: {pair[0]} before, {pair[1]} now"
    for which in ("best", "last"):
        files = [run.path / "checkpoints" / f"{which}.ckpt" for run in (one, other)]
        if not all(file.is_file() for file in files):
            continue
        before, now = (read_checkpoint(file)["state_dict"] for file in files)
        for name in sorted(before.keys() | now.keys()):
            if name not in before or name not in now:
                yield f"{which}.ckpt: {name} is in one only"
            elif not _same_bits(before[name], now[name]):
                yield f"{which}.ckpt: {name} {_distance(before[name], now[name])}"


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    # A NaN differs from itself; its bits do not.
    views = (x.contiguous().reshape(-1).view(torch.uint8) for x in (one, other))
    return torch.equal(*views)


def _distance(one: torch.Tensor, other: torch.Tensor) -> str:
    if one.shape != other.shape:
        return f"has another shape: {tuple(one.shape)}, {tuple(other.shape)}"
    largest = (one.double() - other.double()).abs().max().item()
    return f"differs by {largest:.3g} at most"


def _verdict(first: RunReading, second: RunReading, found: list[str]) -> str:
    if not found:
        state = read_checkpoint(second.path / "checkpoints/last.ckpt")["state_dict"]
        return (
            f"the same bits: {counted(len(state), 'tensor')} of best and last, and "
            f"{counted(len(second.metrics), 'metric')}, are those of {first.path}"
        )
    lines = [f"not the same bits as {first.path}:", *found[:TOLD]]
    if len(found) > TOLD:
        lines.append(f"and {len(found) - TOLD} more")
    changed = differences(first.environment, second.environment)
    lines += [f"changed since: {k} {a} -> {b}" for k, (a, b) in changed.items()]
    return "\n  ".join(lines)
