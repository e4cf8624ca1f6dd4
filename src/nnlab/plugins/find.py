"""Where plugins are: the bundled ones, $NNLAB_PLUGINS, and installed packages.

Never the current folder, and no code of a plugin is imported.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nnlab.errors import UserError
from nnlab.home import bundled_plugins_folder, conf_folder
from nnlab.plugins.installed import installed, missing
from nnlab.plugins.manifest import read_plugin
from nnlab.plugins.plugin import (
    ALONE,
    DISABLED,
    GROUPS,
    MANIFEST,
    Origin,
    Plugin,
    options_in,
)


def find_plugins() -> list[Plugin]:
    """Return all plugins, broken ones included.

    Raises `UserError` where two of them, or one and nnlab, offer the same option.
    """
    plugins = discover()
    _refuse_duplicates(plugins)
    return plugins


def discover() -> list[Plugin]:
    """Return all plugins as `find_plugins` does, but let two offer the same option."""
    disabled = _disabled()
    names: dict[str, Path] = {}
    folders: set[Path] = set()
    plugins: list[Plugin] = []
    for plugin in _candidates():
        if plugin.folder in folders:
            continue  # one plugin, found in two ways
        folders.add(plugin.folder)
        if plugin.name in disabled:
            plugin = replace(plugin, broken=DISABLED, broken_file=None)
        elif not plugin.broken and plugin.name in names:
            plugin = replace(
                plugin,
                broken=f"{names[plugin.name]} is called {plugin.name!r} too",
                broken_file=plugin.folder / MANIFEST,
            )
        elif not plugin.broken:
            names[plugin.name] = plugin.folder
        plugins.append(plugin)
    return plugins


def _candidates() -> Iterator[Plugin]:
    yield from _in_folder(bundled_plugins_folder(), "bundled")
    for name in os.environ.get("NNLAB_PLUGINS", "").split(os.pathsep):
        if name.strip():  # an empty name would be the current folder
            yield from _named(Path(name.strip()).expanduser())
    if _autoloads():
        yield from installed()


def left_alone() -> list[Plugin]:
    """Return the installed plugins that `NNLAB_PLUGINS_AUTOLOAD=0` leaves off."""
    if _autoloads():
        return []
    return [replace(each, broken=ALONE, broken_file=None) for each in installed()]


def unknown_names(plugins: list[Plugin]) -> list[str]:
    """Return what NNLAB_DISABLE names that is no plugin: probably mistyped."""
    known = {plugin.name for plugin in (*plugins, *left_alone())}
    return sorted(_disabled() - known)


def _disabled() -> set[str]:
    names = os.environ.get("NNLAB_DISABLE", "").split(",")
    return {name.strip() for name in names} - {""}


def _autoloads() -> bool:
    """Return whether installed plugins are looked for, as pytest looks for its own.

    Raises:
        UserError: where the variable says neither yes nor no.
    """
    value = os.environ.get("NNLAB_PLUGINS_AUTOLOAD", "").strip()
    if value not in ("", "0", "1"):
        raise UserError(f"NNLAB_PLUGINS_AUTOLOAD={value} must be 0 or 1")
    return value != "0"


def _named(folder: Path) -> Iterator[Plugin]:
    if not folder.is_dir():
        cause = f"NNLAB_PLUGINS names {folder}, which is no folder"
        yield missing(folder, "NNLAB_PLUGINS", cause)
    elif (folder / MANIFEST).is_file():
        yield read_plugin(folder.resolve(), "NNLAB_PLUGINS")
    else:
        found = list(_in_folder(folder, "NNLAB_PLUGINS"))
        cause = f"NNLAB_PLUGINS names {folder}, which holds no {MANIFEST}"
        yield from found or [missing(folder, "NNLAB_PLUGINS", cause)]


def _in_folder(folder: Path, origin: Origin) -> Iterator[Plugin]:
    for manifest in sorted(folder.glob(f"*/{MANIFEST}")):
        yield read_plugin(manifest.parent.resolve(), origin)


def _refuse_duplicates(plugins: list[Plugin]) -> None:
    """Refuse two options of one name: Hydra would silently take the first."""
    owners = {
        (group, option): f"nnlab ({conf_folder() / group})"
        for group in GROUPS
        for option in options_in(conf_folder() / group)
    }
    for plugin in plugins:
        if plugin.broken:
            continue
        for group, options in plugin.options().items():
            for option in options:
                this = f"the plugin {plugin.name} ({plugin.folder})"
                other = owners.setdefault((group, option), this)
                if other != this:
                    raise UserError(
                        f"{group}={option} is offered by both {other} and {this}; "
                        f"rename one, or set NNLAB_DISABLE={plugin.name}"
                    )
