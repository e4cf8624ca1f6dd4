"""Plugins in installed packages: their metadata are read, nothing is imported."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from nnlab.plugins.manifest import read_plugin
from nnlab.plugins.plugin import MANIFEST, Origin, Plugin

ENTRY_POINTS = "nnlab.plugins"


def installed() -> Iterator[Plugin]:
    """Yield the plugins of installed packages, by their entry points."""
    paths = _import_paths()
    for path in paths:
        for file in sorted(Path(path).glob("*-info/entry_points.txt")):
            for name, value in _entry_points(file):
                yield _of_package(name, value, paths)


def _entry_points(file: Path) -> Iterator[tuple[str, str]]:
    """Yield name and value of ours; importlib.metadata takes 15 ms to import."""
    content = file.read_bytes()
    if ENTRY_POINTS.encode() not in content:
        return
    section = ""
    for line in content.decode(errors="replace").splitlines():
        name, equals, value = (part.strip() for part in line.partition("="))
        if line.strip().startswith("["):
            section = line.strip()
        elif equals and section == f"[{ENTRY_POINTS}]" and name[:1] not in "#;":
            yield name, value


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
    return replace(missing(folder, "installed", cause), name=name)


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


def missing(folder: Path, origin: Origin, cause: str) -> Plugin:
    """Return the broken plugin that stands for one that is not there."""
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
