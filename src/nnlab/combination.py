"""Combinations that are known to be wrong, refused before anything is trained.

Whatever takes part in a run may declare two things as attributes of its class; a
stranger's plugin does as nnlab's own:

    brings: ClassVar[frozenset[str]] = frozenset({"two players"})
    not_with: ClassVar[Mapping[str, str]] = {"sharded": "it copies whole weights"}

`brings` are conditions it puts the run under, `not_with` those it does not work under,
each with the reason. A run itself brings:

- `sharded`: each process holds a part of every weight (fsdp2, deepspeed);
- `several processes`;
- `scaled gradients`: of float16, multiplied by what keeps them from vanishing;
- `64-bit weights`;
- `late unscaling`: the optimizer itself takes that scale off, inside its step;
- `accumulation`: a step sums the gradients of several batches;
- `two players`: of a game, who learn against each other (a GAN);
- `own steps`: the model does its optimizers' steps itself;
- `compiled`: torch.compile writes the code of `measure`, once (callback=compile);
- `earlier weights`: the model begins with weights that other code has saved.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lightning import Callback
from lightning.pytorch.callbacks import StochasticWeightAveraging, WeightAveraging

from nnlab.build import LATER, Parts, prepared
from nnlab.callback.compile import Compile
from nnlab.errors import UserError, as_typed
from nnlab.plugins import Plugins
from nnlab.trainer import Settings, has_float64, has_scaler, is_sharded, start_of

AVERAGES_BOTH = "it would average the players of a game as if they were one model"
# What Lightning's own classes would declare, and so what inherits from them does.
OF_LIGHTNING: dict[type, dict[str, str]] = {
    StochasticWeightAveraging: {
        "two players": AVERAGES_BOTH,
        "own steps": "it sets the learning rate of one optimizer",
        "sharded": "it averages weights that it takes to be whole",
    },
    WeightAveraging: {
        "two players": AVERAGES_BOTH,
        "sharded": "it averages weights that it takes to be whole",
    },
}
ONE_OPTIMIZERS = ("gradient_clip_val", "accumulate_grad_batches")


def check_combination(parts: Parts, settings: Settings, plugins: Plugins) -> None:
    """Check that all parts of a run work together.

    Args:
        parts: of the run.
        settings: of `trainer`, its objects made.
        plugins: which know the optimizer's class.

    Raises:
        UserError: naming the two that do not, and why.
    """
    _check_start(parts.config, settings)
    _check_own_steps(parts, settings)
    members = [*_members(parts, settings, plugins)]
    brought = dict(_of_the_run(parts, settings))
    accelerator = str(settings.get("accelerator"))
    for where, member in members:
        if isinstance(member, Compile) and member.acts_on(accelerator):
            brought["compiled"] = where
        brought |= dict.fromkeys(getattr(member, "brings", ()), where)
    for where, member in members:
        for condition, reason in not_with(member).items():
            if condition in brought and brought[condition] != where:
                raise UserError(
                    f"{where} does not go with {brought[condition]}: {reason}"
                )


def not_with(member: Any) -> dict[str, str]:
    """Return the conditions that an object or class does not work under, and why."""
    cls = member if isinstance(member, type) else type(member)
    refused: dict[str, str] = {}
    for of_lightning, theirs in OF_LIGHTNING.items():
        if issubclass(cls, of_lightning):
            refused |= theirs
    if issubclass(cls, Callback) and _looks_at_gradients(cls):
        refused["late unscaling"] = (
            "it works on gradients before the step, which are still scaled then; give "
            "optimizer.fused=false"
        )
    return {**refused, **getattr(cls, "not_with", {})}


def _members(
    parts: Parts, settings: Settings, plugins: Plugins
) -> Iterator[tuple[str, Any]]:
    config, choices = parts.config, parts.config["choices"]
    yield f"model={choices['model']}", parts.model
    yield f"data={choices['data']}", parts.data
    optimizer, _ = prepared(config["optimizer"], "optimizer", plugins, later=LATER)
    yield f"optimizer={choices.get('optimizer')}", optimizer
    for group in ("strategy", "precision"):
        yield f"{group}={choices.get(group)}", settings.get(group)
    names = [
        f"{group}={name}"
        for group in ("regularizer", "callback")
        for name in config[group] or {}
    ]
    yield from zip(names, parts.callbacks, strict=True)


def _of_the_run(parts: Parts, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the conditions that the run itself brings, and the words that ask so."""
    config, choices = parts.config, parts.config["choices"]
    if is_sharded(settings.get("strategy")):
        yield "sharded", f"strategy={choices.get('strategy')}"
    devices = settings.get("devices", 1)
    count = len(devices) if isinstance(devices, list) else devices
    if str(count) != "1" or settings.get("num_nodes", 1) != 1:
        yield "several processes", f"trainer.devices={devices}"
    if has_scaler(settings):
        yield "scaled gradients", f"precision={choices.get('precision')}"
        if config["optimizer"].get("fused"):
            yield "late unscaling", "optimizer.fused=true and float16"
    if has_float64(settings):
        yield "64-bit weights", f"precision={choices.get('precision')}"
    steps = settings.get("accumulate_grad_batches") or 1
    if steps > 1:
        yield "accumulation", f"trainer.accumulate_grad_batches={steps}"
    if not parts.model.automatic_optimization:
        yield "own steps", f"model={choices['model']}"
    for section, key in (("transfer", "run"), ("model", "pretrained")):
        earlier = (config.get(section) or {}).get(key)
        if earlier is not None:
            yield "earlier weights", f"{section}.{key}={earlier}"


def _looks_at_gradients(cls: type[Callback]) -> bool:
    return cls.on_before_optimizer_step is not Callback.on_before_optimizer_step


def _check_start(config: Mapping[str, Any], settings: Settings) -> None:
    if start_of(settings.get("strategy")) != "fork":
        return
    strategy = f"strategy={config['choices'].get('strategy')}"
    accelerator, threads = settings.get("accelerator"), config["threads"]
    if accelerator != "cpu":
        raise UserError(
            f"{strategy} copies a running process, and trainer.accelerator="
            f"{accelerator} cannot be copied; use strategy=ddp"
        )
    if threads != 1:
        raise UserError(
            f"{strategy} copies a process without its other threads, which threads="
            f"{as_typed(threads)} may have; use threads=1 or strategy=ddp"
        )


def _check_own_steps(parts: Parts, settings: Settings) -> None:
    """Refuse what only Lightning's one optimizer honours (L#17958)."""
    if parts.model.automatic_optimization:
        return
    for name in ONE_OPTIMIZERS:
        value = settings.get(name)
        if value not in (None, 0, 1) or (value == 1 and name == "gradient_clip_val"):
            raise UserError(
                f"trainer.{name}={value} does not go with model="
                f"{parts.config['choices']['model']}: it does its optimizers' steps "
                "itself, and this would be left out"
            )
