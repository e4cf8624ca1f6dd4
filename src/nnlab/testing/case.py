"""What is checked: a plugin, each of its options, and what these are tried on."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnlab.errors import UserError, did_you_mean
from nnlab.plugins import MANIFEST, Plugin, discover
from nnlab.plugins.manifest import read_plugin
from nnlab.plugins.page import chosen

Words = tuple[str, ...]

# Groups whose options take part in training: every check is for them.
TRAINED = ("model", "data", "optimizer", "schedule", "regularizer", "callback")

# Plain gradient descent: a rounding error stays one. Adam makes a step of it.
_PLAIN = ("optimizer=sgd", "optimizer.lr=0.1", "schedule=constant")
_MLP = ("model=mlp", "data=xor", "model.hidden_sizes=[8]", *_PLAIN)
_LENET = ("model=lenet5", "data=digits", "data.batch_size=16", *_PLAIN)
_SMALL_GPT = ("model.layers=2", "model.embedding_size=32", "model.heads=2")
_GPT = ("model=gpt", "data=pydocs", "data.batch_size=4", *_SMALL_GPT, *_PLAIN)

# What an option of a group is tried on, in this order, until one accepts it.
BASES: dict[str, tuple[Words, ...]] = {
    "model": ((), ("data=xor",), ("data=digits",), ("data=digits_pairs",)),
    "data": tuple(
        (f"model={model}",)
        for model in ("mlp", "lenet5", "gpt", "autoencoder", "siamese", "recurrent")
    ),
    "experiment": ((),),
    "tokenizer": (_GPT,),
    "precision": (_MLP,),
    "strategy": ((*_MLP, "trainer.devices=2"), _MLP),
    "logger": (_MLP,),
    "optimizer": (_MLP[:3],),
    "schedule": (_MLP[:3],),
}
DEFAULT_BASES = (_MLP, _LENET, _GPT)


@dataclass(frozen=True)
class Case:
    """One option of the plugin, and what the manifest says of checking it."""

    plugin: Plugin
    group: str
    option: str
    on: Words | None = None  # overrides that it is tried with; None: the first that fit
    fsdp2: bool = False
    waived: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def choice(self) -> str:
        """The words that choose it: `regularizer=[l1]`."""
        return chosen(self.group, self.option)

    @property
    def name(self) -> str:
        return f"{self.group}={self.option}"

    @property
    def file(self) -> Path:
        return self.plugin.conf / self.group / f"{self.option}.yaml"

    @property
    def bases(self) -> tuple[Words, ...]:
        if self.on is not None:
            return (self.on,)
        return BASES.get(self.group, DEFAULT_BASES)


def plugin_at(place: str | Path) -> Plugin:
    """Return the plugin in a folder, around a file in it, or of a found plugin's name.

    Raises:
        UserError: where there is none.
    """
    path = Path(place).expanduser()
    if path.exists():
        inside = path.resolve()
        for folder in (inside, *inside.parents):
            if (folder / MANIFEST).is_file():
                return read_plugin(folder, "NNLAB_PLUGINS")
        raise UserError(f"{path} is no plugin: it has no {MANIFEST}")
    found = {plugin.name: plugin for plugin in discover()}
    if str(place) in found and (found[str(place)].folder / MANIFEST).is_file():
        plugin = found[str(place)]
        return read_plugin(plugin.folder, plugin.origin)
    raise UserError(f"there is no folder {path}, and no plugin of that name")


def environment_for(plugin: Plugin) -> dict[str, str]:
    """Return the variables under which nnlab finds this plugin before all others."""
    others = os.environ.get("NNLAB_PLUGINS", "")
    disabled = os.environ.get("NNLAB_DISABLE", "").split(",")
    kept = [name for name in disabled if name.strip() != plugin.name]
    return {
        "NNLAB_PLUGINS": os.pathsep.join(filter(None, [str(plugin.folder), others])),
        "NNLAB_DISABLE": ",".join(kept),
        "NNLAB_TRACEBACK": "",
    }


def cases_of(plugin: Plugin, checks: tuple[str, ...]) -> list[Case]:
    """Return a case for each option.

    Raises:
        UserError: where the manifest's `[check]` table says what it cannot mean.
    """
    table = _check_table(plugin)
    options = plugin.options()
    for group, entries in table.items():
        known = options.get(group, [])
        if group not in options:
            raise UserError(
                f"[check.{group}]: no such group{did_you_mean(group, options)}"
            )
        for option, entry in _mapping(entries, f"[check.{group}]").items():
            if option not in known:
                hint = did_you_mean(option, known)
                raise UserError(f"[check.{group}.{option}]: no such option{hint}")
            _check_entry(entry, f"[check.{group}.{option}]", checks)
    return [
        _case(plugin, group, option, table.get(group, {}).get(option, {}))
        for group, names in options.items()
        for option in names
    ]


def _case(plugin: Plugin, group: str, option: str, entry: Mapping[str, Any]) -> Case:
    on = tuple(entry["on"]) if "on" in entry else None
    fsdp2, waived = entry.get("fsdp2", False), entry.get("waived", {})
    return Case(plugin, group, option, on, fsdp2, waived)


def _check_table(plugin: Plugin) -> Mapping[str, Any]:
    file = plugin.folder / MANIFEST
    try:
        return _mapping(
            tomllib.loads(file.read_text("utf-8")).get("check", {}), "[check]"
        )
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}  # the check of the manifest says so


def _check_entry(entry: Any, where: str, checks: tuple[str, ...]) -> None:
    kinds: dict[str, type] = {"on": list, "fsdp2": bool, "waived": dict}
    for key, value in _mapping(entry, where).items():
        if key not in kinds:
            raise UserError(f"{where}: unknown key {key!r}{did_you_mean(key, kinds)}")
        if not isinstance(value, kinds[key]):
            raise UserError(f"{where}: {key} = {value!r} is no {kinds[key].__name__}")
    if not all(isinstance(word, str) for word in entry.get("on", [])):
        raise UserError(f"{where}: on = {entry['on']!r} is not a list of overrides")
    for name, reason in entry.get("waived", {}).items():
        if name not in checks:
            raise UserError(
                f"{where}: no check called {name!r}{did_you_mean(name, checks)}"
            )
        if not isinstance(reason, str) or not reason.strip():
            raise UserError(f"{where}: waived.{name} needs a reason")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UserError(f"{where} is no table")
    return value
