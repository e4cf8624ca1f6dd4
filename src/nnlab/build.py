"""Config -> objects: the only place where a `_target_` is called."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from lightning import Callback, LightningDataModule, LightningModule, Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.loggers import Logger
from lightning.pytorch.plugins import Precision
from lightning.pytorch.profilers import Profiler
from lightning.pytorch.strategies import Strategy
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from nnlab.errors import UserError
from nnlab.learner import Learner
from nnlab.objection import objection
from nnlab.pairing import check_pairing, misfit
from nnlab.plugins import Plugins
from nnlab.regularizer import Regularizer
from nnlab.target import check_arguments, resolve

Config = dict[str, Any]

# What a section's target must be. A class of any other kind is refused, whatever its
# package: torch itself holds functions and classes that run what they are given.
ROLES: dict[str, type] = {
    "data": LightningDataModule,
    "model": LightningModule,
    "optimizer": Optimizer,
    "schedule": LRScheduler,
    "regularizer": Callback,
    "callback": Callback,
    "logger": Logger,
    "trainer": Trainer,
}
NAMED = ("regularizer", "callback", "logger")
PARTS = (
    nn.Module,
    Callback,
    Logger,
    Optimizer,
    LRScheduler,
    Precision,
    Profiler,
    Strategy,
)
LIBRARIES = ("torch", "torchvision", "lightning", "torchmetrics")

# Where the user writes what stands elsewhere by interpolation.
WRITTEN = {"data.tokenizer": "tokenizer"}

# Facts of which a model may have room for more, and not for fewer.
AT_LEAST = ("classes", "vocabulary_size")

# What an object takes besides its numbers, once there is something to give.
LATER = frozenset({"params", "parameters", "optimizer", "steps"})


@dataclass(frozen=True)
class Parts:
    """What a run is made of; `config` has the data's facts filled in."""

    config: Config
    data: LightningDataModule
    model: Learner
    callbacks: list[Callback]


def build(config: Config, plugins: Plugins) -> Parts:
    """Build data, then the model from what the data offer, then what goes with them.

    Raises:
        UserError: where a value is not accepted, or the model does not fit the data.
    """
    check_pairing(config, plugins)
    data = make(config["data"], "data", plugins)
    config = {**config, "model": fill_facts(config, facts_of(data))}
    model = build_model(config, plugins)
    model.class_names = getattr(data, "class_names", ())
    return Parts(config, data, model, build_callbacks(config, plugins))


def check_parts(config: Config, plugins: Plugins) -> None:
    """Check what a run is made of, as far as that needs neither data nor a network.

    What lies within another object is made.

    Raises:
        UserError: where a value is not accepted.
    """
    prepared(config["trainer"], "trainer", plugins)
    prepared(config["data"], "data", plugins)
    given = {name: value for name, value in config["model"].items() if value != "???"}
    prepared(given, "model", plugins, later=frozenset(config["model"]))
    for role in ("optimizer", "schedule"):
        make_later(config[role], role, plugins)
    for _, node, where in _callbacks(config):
        prepared(node, where, plugins)


def build_model(config: Config, plugins: Plugins) -> Learner:
    """Build the model of a config whose facts are filled in, optimizer and all."""
    model = make(config["model"], "model", plugins)
    if isinstance(model, Learner):
        model.make_optimizer = make_later(config["optimizer"], "optimizer", plugins)
        model.make_schedule = make_later(config["schedule"], "schedule", plugins)
        model.seed = config["seed"]
    return model


def build_callbacks(config: Config, plugins: Plugins) -> list[Callback]:
    """Build the regularizers and callbacks in the order in which they were chosen."""
    made: list[Callback] = []
    for name, node, where in _callbacks(config):
        made.append(make(node, where, plugins))
        if isinstance(made[-1], Regularizer):
            made[-1].name = name
    return made


def _callbacks(config: Config) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Yield each regularizer's and callback's name, node, and place in the config."""
    for group in ("regularizer", "callback"):
        for name, node in (config[group] or {}).items():
            if not isinstance(node, Mapping) or "_target_" not in node:
                raise UserError(
                    f"{group}.{name} has values and no _target_; choose it as well: "
                    f"{group}=[{name}]"
                )
            yield name, cast("Mapping[str, Any]", node), f"{group}.{name}"


def facts_of(data: LightningDataModule) -> dict[str, int]:
    """Return what a data set offers; nothing where it has no `facts`."""
    facts: Callable[[], dict[str, int]] | None = getattr(data, "facts", None)
    return facts() if facts is not None else {}


def fill_facts(config: Config, facts: Mapping[str, int]) -> Config:
    """Return the model's section with each `???` filled from the fact of that name.

    Raises:
        UserError: where the data offer no such fact, or the user's value denies one.
    """
    choices = config["choices"]
    filled: Config = {}
    for name, value in config["model"].items():
        if value == "???" and name not in facts:
            if said := misfit(config):
                raise UserError(said)
            offered = ", ".join(f"{key}={facts[key]}" for key in sorted(facts))
            raise UserError(
                f"model={choices['model']} needs {name}, which data={choices['data']} "
                f"does not offer (it offers {offered or 'nothing'}); "
                f"give model.{name}, or other data"
            )
        filled[name] = facts[name] if value == "???" else value
        if name in AT_LEAST and name in facts and _is_less(filled[name], facts[name]):
            raise UserError(
                f"model.{name}={value} is less than data={choices['data']} has: "
                f"{facts[name]}; leave it out"
            )
    return filled


def _is_less(value: Any, fact: int) -> bool:
    return isinstance(value, int) and value < fact


def make(node: Mapping[str, Any], where: str, plugins: Plugins) -> Any:
    """Build the object that a config node describes, and the objects inside it."""
    cls, arguments = prepared(node, where, plugins)
    return _call(cls, (), arguments, where, plugins)


def make_later(
    node: Mapping[str, Any], where: str, plugins: Plugins
) -> Callable[..., Any]:
    """Return the constructor with its numbers, for what it needs besides them."""
    cls, arguments = prepared(node, where, plugins, later=LATER)

    def construct(*given: Any) -> Any:
        return _call(cls, given, arguments, where, plugins)

    return construct


def prepared(
    node: Mapping[str, Any],
    where: str,
    plugins: Plugins,
    later: frozenset[str] = frozenset(),
) -> tuple[type, dict[str, Any]]:
    """Return the class that a node names, and its arguments, all of it checked.

    Raises:
        UserError: naming the key, the value and what would be accepted.
    """
    target = node.get("_target_")
    if not isinstance(target, str):
        raise UserError(f"{where}._target_={target} must name a class")
    cls = resolve(target, where, plugins)
    _check_role(cls, where)
    numbers: dict[str, Any] = {}
    plugged: dict[str, Precision] = {}  # which Lightning takes as plugins: trainer.py
    for name, value in node.items():
        if name == "_target_":
            continue
        if value == "???":
            raise UserError(f"{where}.{name} has no value; give one")
        nested = isinstance(value, Mapping) and "_target_" in value
        if nested:
            place = WRITTEN.get(f"{where}.{name}", f"{where}.{name}")
            value = make(value, place, plugins)
        if isinstance(value, Precision):
            plugged[name] = value
        else:
            numbers[name] = value
    return cls, {**check_arguments(cls, numbers, where, later), **plugged}


def _check_role(cls: type, where: str) -> None:
    section, *inner = where.split(".")
    named = section in NAMED  # regularizer.l1, not regularizer
    role = ROLES.get(section) if len(inner) == (1 if named else 0) else None
    if role is not None:
        if not issubclass(cls, role):
            raise UserError(f"{where}._target_={cls.__name__} is no {role.__name__}")
    # An object within an object: a library's only where it is a part of a network or a
    # run, nnlab's and a plugin's as they like.
    elif not issubclass(cls, PARTS) and cls.__module__.split(".")[0] in LIBRARIES:
        raise UserError(f"{where}._target_={cls.__name__} is no part of a run")


def _call(
    cls: type,
    given: tuple[Any, ...],
    arguments: dict[str, Any],
    where: str,
    plugins: Plugins,
) -> Any:
    try:
        return cls(*given, **arguments)
    except UserError:
        raise
    except (ValueError, MisconfigurationException) as error:
        raise UserError(objection(error, cls, arguments, where, plugins)) from error
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate" not in str(error):
            raise
        raise UserError(f"{where} is too large for this machine's memory") from error
