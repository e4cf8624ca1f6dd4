"""A run of an earlier nnlab: keys that were added since are not in its config.

What is asked of a finished run takes the value of today's YAML, and says so: weights
that do not fit it are refused as they are loaded. A run that would go on is refused.
"""

import copy
import inspect
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from nnlab.build import LATER, NAMED, Config
from nnlab.compose import Composer, plain
from nnlab.errors import UserError, as_typed
from nnlab.notice import announce
from nnlab.plugins import Plugins, find_plugins
from nnlab.target import resolve

MODEL = ("model", "optimizer", "schedule")  # what a model is rebuilt from
ASKED = (*MODEL, "data")  # and what else is needed to ask it about examples
SECTIONS = (*ASKED, "regularizer", "callback")


def completed(config: Config, place: str, sections: Collection[str] = ASKED) -> Config:
    """Return a saved config with what it lacks, a line said about it.

    Args:
        config: of a finished run.
        place: what the user calls the run: `run=outputs/...`.
        sections: that are needed.

    Raises:
        UserError: where today's YAML has no value either.
    """
    lacking = [*missing(config, find_plugins(), sections)]
    if not lacking:
        return config
    taken = {path: _today(config, path, place) for path in lacking}
    said = ", ".join(f"{path}={as_typed(value)}" for path, value in taken.items())
    announce(
        f"{place} is of an earlier nnlab, whose config lacks {', '.join(lacking)}; "
        f"today's {said} is taken"
    )
    whole = copy.deepcopy(config)
    for path, value in taken.items():
        *parents, name = path.split(".")
        node = whole
        for parent in parents:
            node = node[parent]
        node[name] = value
    return whole


def refuse_older(config: Config, place: str) -> None:
    """Raise `UserError` where a run that is to go on might become another run."""
    for path in missing(config, find_plugins(), SECTIONS):
        value = as_typed(_today(config, path, place))
        raise UserError(
            f"{place} is of an earlier nnlab, whose config lacks {path}, so that it "
            f"might go on as another run; if it was {value}, as today, add that to its "
            "config.yaml, else start a new run"
        )


def missing(
    config: Config, plugins: Plugins, sections: Collection[str]
) -> Iterator[str]:
    """Yield the keys that today's classes need and a config has not: `data.classes`."""
    for section in sections:
        node = config.get(section) or {}
        nodes = node.values() if section in NAMED else [node]
        names = (
            [f"{section}.{name}" for name in node] if section in NAMED else [section]
        )
        for path, each in zip(names, nodes, strict=True):
            if isinstance(each, Mapping):
                yield from _missing_of(each, path, plugins)


def _missing_of(node: Mapping[str, Any], path: str, plugins: Plugins) -> Iterator[str]:
    if not isinstance(node.get("_target_"), str):
        return
    cls = resolve(node["_target_"], path, plugins)
    for name, parameter in [*inspect.signature(cls.__init__).parameters.items()][1:]:
        is_needed = parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_KEYWORD,
            parameter.VAR_POSITIONAL,
        )
        if is_needed and name not in node and name not in LATER:
            yield f"{path}.{name}"
    for name, value in node.items():
        if isinstance(value, Mapping):
            yield from _missing_of(value, f"{path}.{name}", plugins)


def _today(config: Config, path: str, place: str) -> Any:
    """Return what the YAML of today says for a key, with the run's own choices."""
    composer = Composer()
    groups = composer.groups()
    words = [
        f"{group}=[{','.join(option)}]"
        if isinstance(option, list)
        else f"{group}={option}"
        for group, option in config["choices"].items()
        if option is not None and group in groups
    ]
    node: Any = plain(composer.compose(words))
    for name in path.split("."):
        node = node.get(name, "???") if isinstance(node, Mapping) else "???"
    if node == "???":
        raise UserError(
            f"{place} is of an earlier nnlab: its config lacks {path}, for which the "
            "YAML of today has no value either; train it anew"
        )
    return node
