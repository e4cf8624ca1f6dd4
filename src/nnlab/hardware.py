"""Whether what a trainer asks for is here: devices, strategies, precisions."""

import os
from collections.abc import Iterable
from typing import Any, get_args

import torch
from lightning.fabric.connector import _PRECISION_INPUT  # pyright: ignore
from lightning.pytorch.accelerators import AcceleratorRegistry
from lightning.pytorch.strategies import StrategyRegistry

from nnlab.errors import UserError, as_typed, did_you_mean


def check_hardware(trainer: dict[str, Any]) -> None:
    """Check that this machine, PyTorch and Lightning have what a trainer asks for.

    Raises:
        UserError: naming the key, the value and what would be accepted.
    """
    accelerator = trainer.get("accelerator", "auto")
    accelerators = AcceleratorRegistry.available_accelerators()
    _check_known("accelerator", accelerator, {*accelerators, "gpu"})
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    has_mps = torch.backends.mps.is_available()
    here = {"cuda": gpus > 0, "gpu": gpus > 0 or has_mps, "mps": has_mps}
    if not here.get(accelerator, True):
        kind = "an Apple GPU" if accelerator == "mps" else "a CUDA GPU"
        raise UserError(
            f"trainer.accelerator={accelerator} needs {kind} that this PyTorch can "
            "use, and there is none here; trainer=cpu runs everywhere"
        )
    if accelerator in {*accelerators} - {*here, "cpu", "auto"}:
        kind = AcceleratorRegistry[accelerator]["accelerator"]
        if not kind.is_available():
            raise UserError(
                f"trainer.accelerator={accelerator} needs hardware or libraries that "
                "are not here; trainer=cpu runs everywhere"
            )
    available = max(gpus, 1) if accelerator in here else os.cpu_count() or 1
    _check_devices(trainer.get("devices", "auto"), available, accelerator)
    if isinstance(trainer.get("strategy", "auto"), str):
        strategies = StrategyRegistry.available_strategies()
        _check_known("strategy", trainer.get("strategy", "auto"), strategies)
    kinds = [get_args(kind) for kind in get_args(_PRECISION_INPUT)]
    precisions = [str(value) for values in kinds for value in values]
    if not isinstance(trainer.get("precision"), dict):
        _check_known("precision", trainer.get("precision"), precisions)


def _check_known(name: str, value: Any, known: Iterable[str]) -> None:
    known = {*known, "auto"}
    if value is not None and str(value) not in known:
        hint = did_you_mean(str(value), known)
        raise UserError(f"trainer.{name}={value} is not known{hint}")


def _check_devices(devices: Any, available: int, accelerator: str) -> None:
    if devices == "auto" or (devices in (-1, "-1") and accelerator != "cpu"):
        return
    if isinstance(devices, str) and devices.isdigit():
        devices = int(devices)
    kind = "CPU cores" if accelerator == "cpu" else "devices"
    if isinstance(devices, list):
        beyond = [x for x in devices if not isinstance(x, int) or x >= available]
        if beyond or not devices:
            raise UserError(
                f"trainer.devices={as_typed(devices)} names devices that are not here; "
                f"there are {available}, counted from 0"
            )
        if accelerator == "cpu":
            raise UserError(
                f"trainer.devices={as_typed(devices)} names GPUs, and "
                f"trainer.accelerator=cpu has none; give a count: {len(devices)}"
            )
    elif isinstance(devices, bool) or not isinstance(devices, int) or devices < 1:
        raise UserError(
            f"trainer.devices={devices} must be a whole number from 1, a list, or auto"
        )
    elif devices > available:
        raise UserError(
            f"trainer.devices={devices} is more than there are here: {available} {kind}"
        )
