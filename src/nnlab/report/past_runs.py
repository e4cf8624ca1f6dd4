"""The runs that were made: found below a folder, chosen by what they are."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from nnlab.report.run_reading import RunReading

# Of what nnlab itself writes below a run's folder, none is a run.
INSIDE = {"checkpoints", "figures", "tensorboard", "logs"}


def past_runs(folder: Path) -> list[RunReading]:
    """Return the runs below a folder, the one started last first.

    A run is a folder with a config.yaml; it was started, or taken up again, when that
    was written. What cannot be read is no run.
    """
    found: list[tuple[float, Path]] = []
    for name, folders, files in os.walk(folder):
        folders[:] = [n for n in folders if n not in INSIDE and not n.startswith(".")]
        if "config.yaml" in files:
            written = Path(name, "config.yaml").stat().st_mtime
            found.append((written, Path(name)))
    newest_first = sorted(found, key=lambda pair: (-pair[0], str(pair[1])))
    return [run for _, path in newest_first if is_run(run := RunReading(path))]


def is_run(run: RunReading) -> bool:
    """Return whether the folder's config is one that a run writes."""
    try:
        return "choices" in run.config
    except (yaml.YAMLError, UnicodeDecodeError, OSError, TypeError, AttributeError):
        return False


def matches(run: RunReading, wanted: Mapping[str, Any]) -> bool:
    """Return whether a run is as wanted: `model` is gpt, `optimizer.lr` is 0.1.

    A name of a group is compared with what was chosen, any other with the value that
    the run's config has there.
    """
    return all(_equal(value_at(run, key), value) for key, value in wanted.items())


def value_at(run: RunReading, key: str) -> Any:
    """Return what a run's config says at `a.b.c`, or what was chosen of a group."""
    choices = run.config["choices"]
    if key in choices:
        return choices[key]
    node: Any = run.config
    for name in key.split("."):
        if not isinstance(node, dict) or name not in node:
            return None
        node = node[name]
    return node


def flat(node: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Return the values in a nest of mappings by dotted name."""
    found: dict[str, Any] = {}
    for key, value in node.items():
        name = f"{place}.{key}" if place else str(key)
        if isinstance(value, Mapping) and value:
            found |= flat(value, name)
        else:
            found[name] = value
    return found


def _equal(one: Any, other: Any) -> bool:
    # `seed=1` and `seed='1'` mean the same to somebody who looks for a run.
    return one == other or str(one) == str(other)
