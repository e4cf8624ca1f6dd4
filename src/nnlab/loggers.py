"""Lightning's loggers, each writing below the run's folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger

from nnlab.build import make, prepared
from nnlab.errors import UserError
from nnlab.plugins import Plugins

PLACES = ("save_dir", "name", "version")  # a run's folder says


def check_loggers(chosen: Any, plugins: Plugins) -> None:
    """Check the loggers' classes and arguments before there is a folder.

    Raises:
        UserError: naming the key, the value and what would be accepted.
    """
    if not isinstance(chosen, Mapping | None):
        raise UserError(f"logger={chosen} must be names in brackets: [tensorboard]")
    for name, node in (chosen or {}).items():
        if not isinstance(node, Mapping):
            raise UserError(f"logger.{name}={node} must have a _target_, a class")
        for place in PLACES:
            if place in node:
                raise UserError(
                    f"logger.{name}.{place}={node[place]} is set by nnlab; use "
                    "output_dir= or folder="
                )
        prepared(_placed(name, node, Path()), f"logger.{name}", plugins)


def make_loggers(
    chosen: Mapping[str, Any] | None, folder: Path, plugins: Plugins, from_step: int
) -> list[Logger]:
    """Make the loggers of a run that goes on after `from_step` optimizer steps."""
    loggers: list[Logger] = []
    for name, node in (chosen or {}).items():
        placed = _placed(name, node, folder)
        if name == "tensorboard" and (folder / name).is_dir():
            # What came after it is written again; TensorBoard drops this step as well.
            placed["purge_step"] = from_step + 1
        loggers.append(make(placed, f"logger.{name}", plugins))
    return loggers


def _placed(name: str, node: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    return {**node, "save_dir": str(folder), "name": "", "version": name}
