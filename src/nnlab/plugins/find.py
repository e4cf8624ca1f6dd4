"""Where plugins are: the bundled ones, $NNLAB_PLUGINS, and installed packages.

Never the current folder, and no code of a plugin is imported.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from nnlab.errors import UserError
from nnlab.home import bundled_plugins_folder, conf_folder
from nnlab.plugins.manifest import read_plugin
from nnlab.plugins.plugin import GROUPS, MANIFEST, Origin, Plugin, options_in

ENTRY_POINTS = "nnlab.plugins"


def find_plugins() -> list[Plugin]:
    """Return all plugins, broken ones included.

    Raises `UserError` where two of them, or one and nnlab, offer the same option.
    """
    plugins = discover()
    _refuse_duplicates(plugins)
    return plugins


def discover() -> list[Plugin]:
    """Return all plugins as `find_plugins` does, but let two offer the same option."""
    disabled = {name.strip() for name in os.environ.get("NNLAB_DISABLE", "").split(",")}
    names: dict[str, Path] = {}
    folders: set[Path] = set()
    plugins: list[Plugin] = []
    for plugin in _candidates():
        if plugin.folder in folders:
            continue  # one plugin, found in two ways
        folders.add(plugin.folder)
        if plugin.name in disabled:
            plugin = replace(plugin, broken="NNLAB_DISABLE names it", broken_file=None)
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
    if os.environ.get("NNLAB_PLUGINS_AUTOLOAD") != "0":
        yield from _installed()


def _named(folder: Path) -> Iterator[Plugin]:
    if not folder.is_dir():
        cause = f"NNLAB_PLUGINS names {folder}, which is no folder"
        yield _missing(folder, "NNLAB_PLUGINS", cause)
    elif (folder / MANIFEST).is_file():
        yield read_plugin(folder.resolve(), "NNLAB_PLUGINS")
    else:
        found = list(_in_folder(folder, "NNLAB_PLUGINS"))
        cause = f"NNLAB_PLUGINS names {folder}, which holds no {MANIFEST}"
        yield from found or [_missing(folder, "NNLAB_PLUGINS", cause)]


def _in_folder(folder: Path, origin: Origin) -> Iterator[Plugin]:
    for manifest in sorted(folder.glob(f"*/{MANIFEST}")):
        yield read_plugin(manifest.parent.resolve(), origin)


def _installed() -> Iterator[Plugin]:
    paths = _import_paths()
    mentioned = [path for path in paths if _mentions_plugins(Path(path))]
    if not mentioned:
        return
    from importlib import metadata  # 20 ms, and most machines have no such plugin

    for distribution in metadata.distributions(path=mentioned):
        for entry in distribution.entry_points:
            if entry.group == ENTRY_POINTS:
                yield _of_package(entry.name, entry.value, paths)


def _mentions_plugins(folder: Path) -> bool:
    files = folder.glob("*-info/entry_points.txt")
    return any(ENTRY_POINTS.encode() in file.read_bytes() for file in files)


def _of_package(name: str, value: str, paths: list[str]) -> Plugin:
    package, *inner = value.partition(":")[0].strip().split(".")
    spec = _find_spec(package, paths)
    places = spec.submodule_search_locations if spec else None
    folders = [Path(place, *inner) for place in places or ()]
    for folder in folders:
        if (folder / MANIFEST).is_file():
            return read_plugin(folder.resolve(), "installed")
    cause = f"its entry point names {value!r}, a package without {MANIFEST}"
    if not folders:
        cause = f"its entry point names {value!r}, and there is no package {package!r}"
    folder = folders[0] if folders else Path(package)
    return replace(_missing(folder, "installed", cause), name=name)


def _find_spec(package: str, paths: list[str]) -> ModuleSpec | None:
    """Find a top-level package: for a dotted name Python would import its parents."""
    if spec := PathFinder.find_spec(package, paths):
        return spec
    editable = (finder for finder in sys.meta_path if finder is not PathFinder)
    specs = (finder.find_spec(package, None) for finder in editable)
    return next(filter(None, specs), None)


def _import_paths() -> list[str]:
    """Return `sys.path` without the current folder, which `python -m` puts first."""
    paths = [path for path in sys.path if path]
    if paths and not sys.flags.safe_path and Path(paths[0]) == Path.cwd():
        return paths[1:]
    return paths


def _missing(folder: Path, origin: Origin, cause: str) -> Plugin:
    return Plugin(
        name=folder.name,
        version="",
        summary="",
        packages=(),
        requires=(),
        folder=folder,
        origin=origin,
        broken=cause,
        broken_file=folder,
    )


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
