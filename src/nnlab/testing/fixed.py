"""Checks that read what a plugin is made of, before anything is trained."""

from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import yaml

from nnlab.build import ROLES
from nnlab.catalog import describe
from nnlab.compose import Composer, plain
from nnlab.errors import UserError, did_you_mean
from nnlab.plugins import Plugin, Plugins, find_plugins
from nnlab.plugins.plugin import LIST_GROUPS
from nnlab.target import resolve
from nnlab.testing.bench import Bench, Failed
from nnlab.testing.case import Case
from nnlab.testing.child import Crashed, Refused

SUMMARY = 65  # columns of a line of `nnlab list` that are the option's own


def manifest(bench: Bench) -> str:
    """Nnlab finds the plugin and would use it."""
    plugin = bench.plugin
    if plugin.broken:
        raise Failed(f"{plugin.broken} ({plugin.broken_file})")
    try:
        return bench.call(partial(_found, plugin))
    except (Refused, Crashed) as error:
        raise Failed(str(error)) from error


def composes(bench: Bench, case: Case) -> str:
    """Hydra finds the option, and what it sets lands where nnlab looks."""
    try:
        return bench.call(partial(_composed, case))
    except (Refused, Crashed) as error:
        raise Failed(str(error)) from error


def targets(bench: Bench, case: Case) -> str:
    """Every `_target_` of the option's file is trusted, imports, and is of its kind."""
    try:
        return bench.call(partial(_imported, case))
    except (Refused, Crashed) as error:
        raise Failed(str(error)) from error


def _found(plugin: Plugin) -> str:
    for found in find_plugins():
        if found.folder == plugin.folder:
            if found.broken:
                raise UserError(f"{found.broken} ({found.broken_file})")
            options = sum(len(names) for names in found.options().values())
            return f"api 1, {options} option{'s' * (options != 1)}"
    raise UserError("nnlab does not find it")


def _composed(case: Case) -> str:
    line = describe(case.file)
    if not line:
        raise UserError(f"{case.file}: its first comment should say what it is")
    if len(line) > SUMMARY:
        raise UserError(
            f"{case.file}: its first comment has {len(line)} characters, and "
            f"`nnlab list` shows {SUMMARY}"
        )
    config = plain(Composer().compose([case.choice]))
    if case.group in LIST_GROUPS and not _are_parts(config[case.group]):
        raise UserError(
            f"{case.file} must begin with `# @package {case.group}.{case.option}`; "
            f"as it is, {case.choice} does nothing"
        )
    if case.group in ("model", "data", "optimizer", "schedule"):
        section = config[case.group]
        if not isinstance(section, Mapping) or "_target_" not in section:
            raise UserError(f"{case.file} sets no {case.group}._target_")
    return case.choice


def _are_parts(section: Any) -> bool:
    """Return whether it holds parts by name: one, or a preset of several."""
    parts = [*section.values()] if isinstance(section, Mapping) else []
    return bool(parts) and all(
        isinstance(part, Mapping) and "_target_" in part for part in parts
    )


def _imported(case: Case) -> str:
    plugins = find_plugins()
    content: Any = yaml.safe_load(case.file.read_text("utf-8"))
    found = [*_targets(content, "")]
    for where, target in found:
        cls = _resolved(where, target, case, plugins)
        # At the top of a file is what the group makes; deeper are parts of it.
        role = ROLES.get(case.group) if where in ("", case.group) else None
        if role is not None and not issubclass(cls, role):
            raise UserError(f"{case.file}: {target} is no {role.__name__}")
    return ", ".join(target for _, target in found) or "no _target_, only values"


def _resolved(where: str, target: Any, case: Case, plugins: Plugins) -> type:
    if not isinstance(target, str):
        raise UserError(f"{case.file}: _target_: {target!r} must name a class")
    try:
        return resolve(target, where or case.name, plugins)
    except UserError as error:
        raise UserError(f"{case.file}: {error}{_meant(target)}") from error


def _meant(target: str) -> str:
    """Return what a mistyped class was probably meant to be."""
    module, _, name = target.rpartition(".")
    try:
        held = vars(import_module(module))
    except Exception:  # noqa: BLE001  # the error at hand says it already
        return ""
    classes = [
        each
        for each, value in held.items()
        if isinstance(value, type) and value.__module__ == module
    ]
    return "" if name in held else did_you_mean(name, classes)


def _targets(node: Any, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "_target_":
                yield where, value
            else:
                yield from _targets(value, f"{where}.{key}".lstrip("."))
    elif isinstance(node, list):
        for value in node:
            yield from _targets(value, where)
