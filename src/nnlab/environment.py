"""On what a run was made: versions, hardware, the code's revision, the plugins."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import nnlab
from nnlab.plugins import Plugins, in_use
from nnlab.report.mask import masked_override

PACKAGES = ("torch", "lightning", "hydra-core", "omegaconf", "torchmetrics", "numpy")


def environment(plugins: Plugins, choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be known to make the same run again; plain values."""
    return {
        **software(),
        "command": " ".join(["nnlab", *map(masked_override, sys.argv[1:])]),
        "hardware": {
            "machine": f"{platform.system()} {platform.machine()}",
            "cpu": _processor(),
            "cpus": os.cpu_count(),
            "gpus": [
                torch.cuda.get_device_name(index)
                for index in range(torch.cuda.device_count())
            ],
        },
        "plugins": in_use(plugins, choices),
    }


@cache
def software() -> dict[str, str | None]:
    """Return the versions and the revision of what this process has imported."""
    return {
        "nnlab": nnlab.__version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "git": _revision(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _revision() -> str | None:
    """Return the checkout's commit, marked where files differ from it."""
    root = Path(nnlab.__file__).parents[2]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


@cache
def _processor() -> str:
    file = Path("/proc/cpuinfo")
    if file.is_file():
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
