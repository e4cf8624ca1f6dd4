"""A fit of a few steps, through the parts that a run is made of, watched closely."""

import math
import pickle
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer, seed_everything
from lightning.pytorch.plugins import MixedPrecision
from torch import Tensor
from torch.amp.grad_scaler import GradScaler
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]
from typing_extensions import override

from nnlab.build import Config, Parts, build, prepared
from nnlab.checkpoint import AtomicCheckpointIO, Checkpoints
from nnlab.combination import check_combination
from nnlab.compose import Composer, plain
from nnlab.interrupt import Interrupt
from nnlab.overrides import checked
from nnlab.place import place
from nnlab.plugins import find_plugins
from nnlab.process import prepare_process
from nnlab.ranks import join, leave
from nnlab.testing.fingerprint import differences, fingerprint
from nnlab.testing.probe import After, Before, Outcome
from nnlab.trainer import QUIET, Settings, make_trainer

# Twelve steps in three epochs: a kill after the fifth falls into the second epoch.
BATCHES, EPOCHS, KILLED_AFTER = 4, 3, 5
SMALL: dict[str, Any] = {
    "trainer.max_epochs": EPOCHS,
    "trainer.limit_train_batches": BATCHES,
    "trainer.limit_val_batches": 1,
    "trainer.limit_test_batches": 1,
    "trainer.log_every_n_steps": 1,
    "pictures": 0,
}


@dataclass(frozen=True)
class Fit:
    """A fit to make: overrides, and what differs from a short run of them."""

    words: tuple[str, ...]
    settings: tuple[tuple[str, Any], ...] = ()  # such as ("trainer.devices", 2)
    noise_seed: int | None = None  # of what is drawn while training
    loss_scale: float | None = None  # a real GradScaler's, on floats of 32 bits
    is_again: bool = False  # the same once more
    is_pickled: bool = False  # the callbacks went through pickle before
    checkpoints: Path | None = None  # saved after every step
    is_killed: bool = False  # by SIGKILL, in a step in mid-epoch
    resumes: bool = False  # from the last checkpoint


class ScaledFloat32(MixedPrecision):
    """A real GradScaler around 32-bit arithmetic: powers of two cancel exactly."""

    def __init__(self, scale: float) -> None:
        scaler = GradScaler("cpu", init_scale=scale, growth_interval=10**9)
        super().__init__("16-mixed", "cpu", scaler)

    @override
    @contextmanager
    def forward_context(self) -> Generator[None]:
        yield


def config_of(words: Sequence[str]) -> Config:
    """Return the composed config of these overrides.

    Raises:
        UserError: where one of them is a mistake.
    """
    composer = Composer()
    return plain(composer.compose(checked([*words], composer)))


def do(fit: Fit, config: Config, room: Path) -> Outcome:
    """Make the fit in this process, which is never the same afterwards.

    Args:
        fit: what to do.
        config: what `fit.words` compose to; to compose takes longer than to fit.
        room: a folder for what the plugin writes.

    Raises:
        UserError: where nnlab or the plugin refuses the combination.
    """
    for key, value in {**SMALL, **dict(fit.settings)}.items():
        _set(config, key, value)
    plugins = find_plugins()
    prepare_process(config)
    parts = build(config, plugins)
    if fit.is_pickled:
        copies = pickle.loads(pickle.dumps(parts.callbacks))  # our own
        parts = replace(parts, callbacks=copies)
    _, settings = prepared(config["trainer"], "trainer", plugins)
    if fit.loss_scale is not None:
        settings["precision"] = ScaledFloat32(fit.loss_scale)
    check_combination(parts, settings, plugins)
    join(place(), on_gpu=False)
    settings["default_root_dir"] = str(room)
    outcome = _watched(parts, fit, settings)
    leave()
    return outcome


def far(first: dict[str, Tensor], second: dict[str, Tensor]) -> float:
    """Return the largest difference of two models' weights, infinite for other names.

    A weight that is no number in one of them alone is infinitely far.
    """
    if first.keys() != second.keys():
        return float("inf")
    return max((_gap(first[name], second[name]) for name in first), default=0.0)


def _watched(parts: Parts, fit: Fit, settings: Settings) -> Outcome:
    config, model = parts.config, parts.model
    outcome = Outcome(batch_size=config["data"].get("batch_size"))
    outcome.has_batch_norm = any(isinstance(m, _BatchNorm) for m in model.modules())
    attached = fingerprint(model)
    trainer, last = _trainer(parts, fit, settings, outcome)
    noise_seed = config["seed"] if fit.noise_seed is None else fit.noise_seed
    seed_everything(noise_seed, workers=True, verbose=False)
    model.seed = noise_seed
    trainer.fit(model, datamodule=parts.data, ckpt_path=last, weights_only=True)
    outcome.steps = trainer.global_step
    outcome.left_behind = differences(attached, fingerprint(model))
    outcome.weights = _weights(model)
    return outcome


def _trainer(
    parts: Parts, fit: Fit, settings: Settings, outcome: Outcome
) -> tuple[Trainer, Path | None]:
    """Return the Trainer, and the checkpoint to go on from."""
    before = Before()
    after = After(before, outcome, KILLED_AFTER if fit.is_killed else None)
    checkpoints = Checkpoints(
        fit.checkpoints or Path(settings["default_root_dir"], "checkpoints"),
        config=parts.config,
        monitor="",
        mode="min",
        seconds=math.inf if fit.checkpoints is None else 0.0,
        interrupt=Interrupt(),
    )
    more = {
        **QUIET,
        "enable_checkpointing": True,
        "callbacks": [before, *parts.callbacks, after, checkpoints],
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": False,
    }
    given = {**settings, "plugins": [AtomicCheckpointIO()]}
    last = checkpoints.last if fit.resumes else None
    return make_trainer(given, place(), **more), last


def _set(config: Config, key: str, value: Any) -> None:
    *sections, name = key.split(".")
    node = config
    for section in sections:
        node = node[section]
    node[name] = value


def _weights(model: LightningModule) -> dict[str, Tensor]:
    """Return the whole parameters, those in shards put together, on the CPU."""
    whole: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        tensor: Any = parameter.detach()
        if hasattr(tensor, "full_tensor"):
            tensor = tensor.full_tensor()
        whole[name] = tensor.cpu().clone()
    return whole


def _gap(first: Tensor, second: Tensor) -> float:
    if first.shape != second.shape:
        return float("inf")
    if not first.numel():
        return 0.0
    gap = (first.double() - second.double()).abs()
    gap = gap.masked_fill(first.isnan() & second.isnan(), 0)
    return float(gap.nan_to_num(nan=float("inf")).amax())
