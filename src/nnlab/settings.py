"""What a run's own settings may be, checked before anything is built."""

import os
from typing import Annotated, Any, Literal, get_args

import torch
from annotated_types import Interval
from lightning.fabric.connector import _PRECISION_INPUT  # pyright: ignore
from lightning.pytorch.accelerators import AcceleratorRegistry
from lightning.pytorch.strategies import StrategyRegistry

from nnlab.errors import UserError, did_you_mean
from nnlab.limits import Count
from nnlab.target import check_value

HINTS: dict[str, Any] = {
    "seed": Annotated[int, Interval(ge=0, le=2**32 - 1)],
    "deterministic": bool,
    "threads": Count | None,
    "output_dir": str,
    "folder": str | None,
}
LENGTHS = ("max_epochs", "max_steps")
COUNTS = ("accumulate_grad_batches", "log_every_n_steps", "check_val_every_n_epoch")
OURS = {
    "logger": "logger=",
    "callbacks": "callback=",
    "plugins": "strategy= and precision=",
    "default_root_dir": "output_dir=",
    "deterministic": "deterministic=",
}


def check_settings(config: dict[str, Any]) -> None:
    """Check the settings at the top, and that the trainer's hardware is there.

    Raises:
        UserError: naming the key, the value and what would be accepted.
    """
    for name, hint in HINTS.items():
        check_value(config[name], hint, name)
    check_value(config["monitor"]["metric"], str, "monitor.metric")
    check_value(config["monitor"]["mode"], Literal["min", "max"], "monitor.mode")
    trainer = config["trainer"]
    for name, instead in OURS.items():
        if name in trainer:
            raise UserError(f"trainer.{name} is set by nnlab; use {instead}")
    for name in LENGTHS:
        value = trainer.get(name, -1)
        if isinstance(value, int) and value < 1 and value != -1:
            raise UserError(
                f"trainer.{name}={value} must be at least 1, or -1: no limit"
            )
    for name in COUNTS:
        if name in trainer and trainer[name] is not None:
            check_value(trainer[name], Count, f"trainer.{name}")
    if trainer.get("max_epochs") == -1 and trainer.get("max_steps", -1) == -1:
        if trainer.get("max_time") is None:
            raise UserError("trainer.max_epochs=-1 never ends; give trainer.max_steps")
    _check_hardware(trainer)


def _check_hardware(trainer: dict[str, Any]) -> None:
    accelerator = trainer.get("accelerator", "auto")
    names = {*AcceleratorRegistry.available_accelerators(), "auto", "gpu"}
    if accelerator not in names:
        hint = did_you_mean(str(accelerator), names)
        raise UserError(f"trainer.accelerator={accelerator} is not known{hint}")
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    has_mps = torch.backends.mps.is_available()
    if accelerator == "cuda" or (accelerator == "gpu" and not has_mps):
        if gpus == 0:
            raise UserError(
                "trainer=gpu needs a CUDA GPU that this PyTorch can use, and there is "
                "none here; trainer=cpu runs everywhere"
            )
    if accelerator == "mps" and not has_mps:
        raise UserError(
            "trainer=mps needs an Apple GPU, and there is none here; "
            "trainer=cpu runs everywhere"
        )
    available = (
        gpus or 1 if accelerator in ("gpu", "cuda", "mps") else os.cpu_count() or 1
    )
    _check_devices(trainer.get("devices", "auto"), available, accelerator)
    strategy = trainer.get("strategy", "auto")
    strategies = {*StrategyRegistry.available_strategies(), "auto"}
    if isinstance(strategy, str) and strategy not in strategies:
        hint = did_you_mean(strategy, strategies)
        raise UserError(f"trainer.strategy={strategy} is not known{hint}")
    precision = trainer.get("precision")
    precisions = {
        str(value) for kind in get_args(_PRECISION_INPUT) for value in get_args(kind)
    }
    if precision is not None and str(precision) not in precisions:
        hint = did_you_mean(str(precision), precisions)
        raise UserError(f"trainer.precision={precision} is not known{hint}")


def _check_devices(devices: Any, available: int, accelerator: str) -> None:
    if devices == "auto" or devices == -1 or devices == "-1":
        return
    if isinstance(devices, str) and devices.isdigit():
        devices = int(devices)
    kind = "CPU cores" if accelerator == "cpu" else "devices"
    if isinstance(devices, list):
        beyond = [
            each for each in devices if not isinstance(each, int) or each >= available
        ]
        if beyond or not devices:
            raise UserError(
                f"trainer.devices={devices} names devices that are not here; "
                f"there are {available}, counted from 0"
            )
    elif isinstance(devices, bool) or not isinstance(devices, int) or devices < 1:
        raise UserError(
            f"trainer.devices={devices} must be a whole number from 1, a list, or auto"
        )
    elif devices > available:
        raise UserError(
            f"trainer.devices={devices} is more than there are here: {available} {kind}"
        )
