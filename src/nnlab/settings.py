"""What a run's own settings may be, checked before anything is built.

Of these only the hardware needs torch; a sweep has another process ask for it.
"""

import os
import re
from typing import Annotated, Any, Literal, Optional

from annotated_types import Interval

from nnlab.errors import UserError, as_typed
from nnlab.limits import Count, Natural, NonNegative
from nnlab.numerals import counted
from nnlab.place import ALONE, Place, place
from nnlab.target import check_value

HINTS: dict[str, Any] = {
    "seed": Annotated[int, Interval(ge=0, le=2**32 - 1)],
    "deterministic": bool,
    "threads": Optional[Count],  # noqa: UP045  # Annotated | None is no type to pyright
    "output_dir": str,
    "folder": str | None,
    "pictures": Natural,
    "checkpoint_seconds": NonNegative,
    "nan_guard": bool,
}
REQUIRED = (
    *(name for name in HINTS if name != "nan_guard"),  # older runs are without it
    *("monitor", "trainer", "reference", "regularizer", "callback"),
)
LENGTHS = ("max_epochs", "max_steps")
LEAST = ("min_epochs", "min_steps")
COUNTS = ("accumulate_grad_batches", "log_every_n_steps", "check_val_every_n_epoch")
OURS = {
    "logger": "logger=",
    "callbacks": "callback=",
    "plugins": "strategy= and precision=",
    "default_root_dir": "output_dir=",
    "deterministic": "deterministic=",
    "barebones": "benchmarks/, which compare with the bare loop",
    "fast_dev_run": "trainer=debug",
    "enable_progress_bar": "a terminal for the bar, a pipe for plain lines",
    "enable_model_summary": "report.html and log.txt",
    "enable_checkpointing": "checkpoint_seconds=",
    "num_sanity_val_steps": "nothing: one batch is always tried first",
    "use_distributed_sampler": "nothing: the data split themselves",
}


def check_complete(config: dict[str, Any]) -> None:
    """Check that nothing was taken away that every run needs.

    Raises:
        UserError: naming what is missing.
    """
    for name in REQUIRED:
        if name not in config:
            raise UserError(f"{name} is missing; every run needs it")


def check_settings(config: dict[str, Any], *, is_here: bool = True) -> None:
    """Check the settings at the top, and that the trainer's hardware is there.

    Args:
        config: of one run.
        is_here: look at this machine's hardware; it says nothing of another's.

    Raises:
        UserError: naming the key, the value and what would be accepted.
    """
    _check_top(config)
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
    _check_limits(trainer)
    ends = ("max_epochs", "max_steps", "max_time")
    if all(trainer.get(name) in (-1, None) for name in ends):
        epochs = as_typed(trainer.get("max_epochs"))
        raise UserError(
            f"trainer.max_epochs={epochs} never ends; give "
            "trainer.max_steps, or trainer.max_time"
        )
    if is_here:
        check_threads(config)
        from nnlab.hardware import check_hardware

        check_hardware(trainer)


def check_threads(config: dict[str, Any]) -> None:
    """Check that this machine has a core for each thread of a run.

    More than that wait for each other, at every step: a run of a second takes minutes.

    Raises:
        UserError: naming the cores.
    """
    threads, cores = config.get("threads"), os.cpu_count() or 1
    if threads is not None and threads > cores:
        raise UserError(
            f"threads={threads} is more than there are here: {counted(cores, 'core')}; "
            "null takes all of them"
        )


def _check_top(config: dict[str, Any]) -> None:
    if isinstance(config.get("seed"), list):
        seeds = as_typed(config["seed"])
        raise UserError(
            f"seed={seeds} must be one number; several are -m seed={seeds[1:-1]}"
        )
    for name, hint in HINTS.items():
        if name in config:
            check_value(config[name], hint, name)
    for name in ("output_dir", "folder"):
        if config.get(name) == "":
            raise UserError(f"{name}= names no folder; . is the current one")
    monitor = config["monitor"]
    if not isinstance(monitor, dict) or not {"metric", "mode"} <= set(monitor):
        raise UserError(
            f"monitor={monitor} must have metric and mode, as in "
            "monitor.metric=val/loss monitor.mode=min"
        )
    check_value(monitor["metric"], str, "monitor.metric")
    check_value(monitor["mode"], Literal["min", "max"], "monitor.mode")


def _check_limits(trainer: dict[str, Any]) -> None:
    for name in LEAST:
        if trainer.get(name) != -1:  # as Lightning says that there is none
            hint = Optional[Natural]  # noqa: UP045
            check_value(trainer.get(name), hint, f"trainer.{name}")
    clip = trainer.get("gradient_clip_val")
    check_value(clip, Optional[NonNegative], "trainer.gradient_clip_val")  # noqa: UP045
    if trainer.get("limit_train_batches") == 0:
        raise UserError(
            "trainer.limit_train_batches=0 trains nothing; give a count from 1, or a "
            "share above 0.0; nnlab test run= tests without training"
        )
    every, longest = trainer.get("val_check_interval"), trainer.get("max_time")
    if isinstance(every, int | float) and every <= 0:
        raise UserError(f"trainer.val_check_interval={every} must be greater than 0")
    is_time = re.fullmatch(r"\d+:\d\d:\d\d:\d\d", str(longest))
    if isinstance(longest, str | int | float) and not is_time:
        raise UserError(
            f"trainer.max_time={longest} must be days:hours:minutes:seconds, "
            "as in 00:00:10:00"
        )
    nodes = trainer.get("num_nodes", 1)
    check_value(nodes, Count, "trainer.num_nodes")
    if nodes > 1 and place() == ALONE:
        raise UserError(
            f"trainer.num_nodes={nodes} waits for other machines, and this is not "
            "started by torchrun or Slurm's srun"
        )


def with_group(config: dict[str, Any], place: Place) -> dict[str, Any]:
    """Return the config with the devices and machines that torchrun or Slurm started.

    Raises:
        UserError: where the user asks for others.
    """
    if place.ranks == 1:
        return config
    trainer = config["trainer"]
    started = {"devices": place.local_ranks, "num_nodes": place.nodes}
    for name, count in started.items():
        asked = trainer.get(name, 1)
        if asked not in (1, "auto", -1, "-1", count, str(count)):
            raise UserError(
                f"trainer.{name}={asked} is not what was started: {place.nodes} "
                f"machines with {place.local_ranks} processes each; leave it out"
            )
    return {**config, "trainer": {**trainer, **started}}
