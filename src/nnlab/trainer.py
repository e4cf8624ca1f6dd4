"""A trainer's settings as Lightning takes them: its group, its precision, its strategy.

Lightning looks for a group of processes in the environment and starts one where it
finds none. Here the group is known before (place.py, group.py), and Lightning is told.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

import torch
from lightning import Trainer
from lightning.fabric.utilities import registry
from lightning.pytorch.plugins import MixedPrecision, Precision
from lightning.pytorch.strategies import ModelParallelStrategy

from nnlab.epoch_loop import EpochLoop
from nnlab.place import ALONE, Place, Start
from nnlab.ranks import GroupEnvironment

Settings = dict[str, Any]
HALVES = ("16", "16-mixed")  # float16 where it is safe
DOUBLES = ("64", "64-true")
QUIET: Settings = {
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "enable_checkpointing": False,
}
# Lightning looks, for each trainer, through all packages for callbacks of theirs.
find_callbacks = lru_cache(entry_points)
registry.entry_points = find_callbacks  # pyright: ignore[reportPrivateImportUsage]


def make_trainer(settings: Settings, place: Place, **more: Any) -> Trainer:
    """Return Lightning's Trainer of these settings at that place in its group.

    Args:
        settings: of `trainer`, its objects made.
        place: of this process.
        more: what a run sets itself.
    """
    settings = {**settings, **more}
    plugins: list[Any] = [*settings.pop("plugins", []), GroupEnvironment(place)]
    precision = settings.get("precision")
    if str(precision) in HALVES and not _on_gpu(settings):
        # Lightning would take bfloat16, which needs no scaler and hides its faults.
        scaler = torch.amp.GradScaler("cpu")
        precision = MixedPrecision("16-mixed", "cpu", scaler)
    if isinstance(precision, Precision):
        settings["precision"] = None
        plugins.append(precision)
    strategy = settings.get("strategy")
    if isinstance(strategy, str):  # the processes are there: it need not start any
        settings["strategy"] = re.sub("_(fork|spawn|notebook)", "", strategy)
    is_free = not torch.are_deterministic_algorithms_enabled()
    if is_free and settings.get("deterministic") is False:
        del settings["deterministic"]  # to say it again imports torch's compiler
    trainer = Trainer(**settings, plugins=plugins)
    loop = trainer.fit_loop.epoch_loop
    trainer.fit_loop.epoch_loop = EpochLoop(trainer, loop.min_steps, loop.max_steps)
    # Signals are interrupt.py's: Lightning's own handler talks to the other ranks in
    # the middle of whatever they do, and asks all of them about it at every step.
    trainer._signal_connector.register_signal_handlers = _nothing  # pyright: ignore
    trainer.fit_loop.epoch_loop._broadcast_sigterm_tensor = _nothing  # pyright: ignore
    return trainer


def make_trial(settings: Settings, **more: Any) -> Trainer:
    """Return a Trainer of one process that tries what the real one will do."""
    alone = {**settings, "devices": 1, "num_nodes": 1, "strategy": "auto"}
    return make_trainer(alone, ALONE, **QUIET, **more)


def start_of(strategy: Any) -> Start:
    """Return how a strategy's processes start: command, fork or spawn."""
    if isinstance(strategy, str):
        if "_spawn" in strategy:
            return "spawn"
        return "fork" if "_fork" in strategy or "_notebook" in strategy else "command"
    return getattr(strategy, "start", "command")


def is_sharded(strategy: Any) -> bool:
    """Whether each process holds a part of every weight."""
    named = isinstance(strategy, str) and strategy.startswith(("fsdp", "deepspeed"))
    return named or isinstance(strategy, ModelParallelStrategy)


def has_scaler(settings: Mapping[str, Any]) -> bool:
    """Whether gradients are of float16 and scaled."""
    return _precision(settings) in HALVES


def has_float32(settings: Mapping[str, Any]) -> bool:
    """Whether the weights are of 32 bits, whatever is computed with."""
    return _precision(settings) not in ("bf16-true", "16-true", *DOUBLES)


def has_float64(settings: Mapping[str, Any]) -> bool:
    """Whether the weights are of 64 bits."""
    return _precision(settings) in DOUBLES


def _precision(settings: Mapping[str, Any]) -> str:
    precision = settings.get("precision")
    return str(getattr(precision, "precision", precision))


def _on_gpu(settings: Settings) -> bool:
    accelerator = settings.get("accelerator", "auto")
    if accelerator == "auto":
        return torch.cuda.is_available() or torch.backends.mps.is_available()
    return accelerator != "cpu"


def _nothing() -> None:
    pass
