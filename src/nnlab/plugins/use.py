"""What a run needs to know of the plugins that were found."""

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from nnlab.errors import UserError, did_you_mean
from nnlab.home import conf_folder
from nnlab.plugins.find import left_alone, unknown_names
from nnlab.plugins.plugin import MANIFEST, Plugin, Plugins

TRUSTED = ("nnlab", "torch", "torchvision", "lightning", "torchmetrics")


def search_path(plugins: Plugins) -> list[tuple[str, str]]:
    """Return (provider, path) of every working plugin, for Hydra's search path."""
    return [
        (f"plugin {plugin.name}", f"file://{plugin.conf}")
        for plugin in plugins
        if not plugin.broken
    ]


def trusted_roots(plugins: Plugins) -> set[str]:
    """Return the packages that a `_target_` may come from."""
    working = [plugin for plugin in plugins if not plugin.broken]
    return {*TRUSTED, *(package for plugin in working for package in plugin.packages)}


def owner(group: str, option: str, plugins: Plugins) -> Plugin | None:
    """Return the plugin that offers the option; a broken one where no other does."""
    owners = [plugin for plugin in plugins if option in plugin.options().get(group, [])]
    return min(owners, key=lambda plugin: plugin.broken is not None, default=None)


def explain_broken(group: str, option: str, plugins: Plugins) -> UserError | None:
    """Return the error for an option that only a broken plugin offers, else None."""
    if (conf_folder() / group / f"{option}.yaml").is_file():
        return None
    plugin = owner(group, option, [*plugins, *left_alone()])
    if plugin is None or plugin.broken is None:
        return None
    return UserError(
        f"{group}={option} belongs to the plugin {plugin.title}, "
        f"which is off: {_cause(plugin)}"
    )


def complaints(plugins: Plugins) -> list[str]:
    """Return a line for each plugin that is off and should not be."""
    lines = [
        f"the plugin {plugin.title} is off: {_cause(plugin)}"
        for plugin in plugins
        if plugin.broken and not plugin.is_disabled
    ]
    known = [plugin.name for plugin in plugins]
    return lines + [
        f"NNLAB_DISABLE names {name!r}, which is no plugin{did_you_mean(name, known)}"
        for name in unknown_names([*plugins])
    ]


def explain_code(
    target: str, cause: BaseException, plugins: Plugins
) -> UserError | None:
    """Return the error for a plugin's `_target_` that `cause` kept from importing."""
    plugin = author(target, plugins)
    if plugin is None:
        return None
    said = " ".join(str(cause).split())
    return UserError(
        f"{target} of the plugin {plugin.title} cannot be imported: "
        f"{type(cause).__name__}: {said} ({_place(plugin, cause)})"
    )


def author(target: str, plugins: Plugins) -> Plugin | None:
    """Return the plugin whose code a dotted name is of; None where it is of none."""
    for plugin in plugins:
        roots = [*plugin.packages]
        if plugin.origin != "installed":
            roots.append(f"nnlab.ext.{plugin.name}")
        if any(f"{target}.".startswith(f"{root}.") for root in roots):
            return plugin
    return None


def in_use(
    plugins: Plugins, choices: Mapping[str, str | Sequence[str] | None]
) -> list[dict[str, str]]:
    """Return name, version and hash of the plugins whose options were chosen.

    The choices are options by group, as `HydraConfig.runtime.choices` has them: a
    group's key may carry its place (`data@_global_.data`).
    """
    chosen = {
        (key.partition("@")[0], option)
        for key, options in choices.items()
        for option in ([options] if isinstance(options, str) else options or [])
    }
    return [
        {"name": plugin.name, "version": plugin.version, "hash": plugin.hash}
        for plugin in plugins
        if not plugin.broken
        and any(
            (group, option) in chosen
            for group, options in plugin.options().items()
            for option in options
        )
    ]


def _cause(plugin: Plugin) -> str:
    """Return why it is off, and the file at fault, where one is."""
    if plugin.is_disabled:
        return str(plugin.broken)
    return f"{plugin.broken} ({plugin.broken_file or plugin.folder / MANIFEST})"


def _place(plugin: Plugin, cause: BaseException) -> str:
    """Return the plugin's own file and line where the import failed."""
    if isinstance(cause, SyntaxError) and cause.filename:
        return f"{cause.filename}:{cause.lineno}"
    frames = traceback.extract_tb(cause.__traceback__)
    for frame in reversed(frames):
        if Path(frame.filename).is_relative_to(plugin.folder):
            return f"{frame.filename}:{frame.lineno}"
    return str(plugin.folder)
