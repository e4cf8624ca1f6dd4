"""Reads a manifest, and says in one line what is wrong with it."""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from keyword import iskeyword
from pathlib import Path
from typing import Any, cast

from nnlab import __version__
from nnlab.errors import did_you_mean
from nnlab.plugins.plugin import GROUPS, MANIFEST, Origin, Plugin, options_in
from nnlab.plugins.requirement import unmet

TEXTS = ("name", "version", "summary")
LISTS = ("packages", "requires")
CHECK = "check"  # a table for the conformance kit, which reads it (nnlab.testing)


class BrokenPluginError(Exception):
    """What is wrong, in one line, and in which file."""

    def __init__(self, cause: str, file: Path) -> None:
        super().__init__(cause)
        self.cause = cause
        self.file = file


def read_plugin(folder: Path, origin: Origin) -> Plugin:
    """Return the plugin in that folder; a broken one says why."""
    values: dict[str, Any] = {}
    cause, file = None, None
    try:
        values = _read(folder / MANIFEST)
        _check_manifest(values, folder / MANIFEST)
        _check_conf(folder / "conf")
    except BrokenPluginError as fault:
        cause, file = fault.cause, fault.file
    texts = {key: _text(values.get(key)) for key in TEXTS}
    lists = {key: _texts(values.get(key)) for key in LISTS}
    return Plugin(
        name=texts["name"] or folder.name,
        version=texts["version"],
        summary=texts["summary"],
        packages=lists["packages"],
        requires=lists["requires"],
        folder=folder,
        origin=origin,
        broken=cause,
        broken_file=file,
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BrokenPluginError(f"not TOML: {error}", file) from error
    except UnicodeDecodeError as error:
        raise BrokenPluginError("not UTF-8 text", file) from error
    except OSError as error:
        raise BrokenPluginError(f"unreadable: {error.strerror}", file) from error


def _check_manifest(values: Mapping[str, Any], file: Path) -> None:
    for cause in _faults(values):
        raise BrokenPluginError(cause, file)


def _faults(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong; a check relies on those before it."""
    known = ("api", *TEXTS, *LISTS, CHECK)
    for key in values:
        if key not in known:
            yield f"unknown key {key!r}{did_you_mean(key, known)}"
    for key in ("api", *TEXTS):
        if key not in values:
            yield f"{key} is missing"
    if type(values["api"]) is not int or values["api"] != 1:
        yield f"api = {values['api']!r}, but nnlab {__version__} speaks api = 1"
    for key in TEXTS:
        if not _text(values[key]):
            yield f"{key} = {values[key]!r} is not a line of text"
    yield from _mistyped(values)
    yield from filter(None, [_unsayable(values["name"])])
    yield from filter(None, map(_untrustworthy, values.get("packages", [])))
    yield from filter(None, map(unmet, values.get("requires", [])))


def _mistyped(values: Mapping[str, Any]) -> Iterator[str]:
    for key in LISTS:
        if key in values and list(_texts(values[key])) != values[key]:
            yield f"{key} = {values[key]!r} is not a list of texts"
    if not isinstance(values.get(CHECK, {}), dict):
        yield f"{CHECK} = {values[CHECK]!r} is not a table"


def _unsayable(name: str) -> str | None:
    if name.isidentifier() and not iskeyword(name) and not name.startswith("_"):
        return None
    return f"name = {name!r} cannot stand in `import nnlab.ext.<name>`; try my_lab"


def _untrustworthy(package: str) -> str | None:
    if not package.isidentifier():
        return f"packages: {package!r} is not the name of a top-level package"
    if package in sys.stdlib_module_names:
        # `os.system` must not become a target because one plugin was careless
        return f"packages: {package!r} is Python's own; name only the plugin's packages"
    return None


def _check_conf(conf: Path) -> None:
    """Refuse what is not `conf/<group>/<option>.yaml`: Hydra would find it too."""
    if not conf.is_dir():
        raise BrokenPluginError("offers nothing: there is no folder conf/", conf)
    for path in sorted(conf.iterdir()):
        if path.name.startswith((".", "_")):
            continue
        if path.suffix in {".yaml", ".yml"}:
            line = f"conf/{path.name} is not in the folder of a group"
            raise BrokenPluginError(line, path)
        if path.is_dir():
            _check_group(path)
    if not any(options_in(conf / group) for group in GROUPS):
        raise BrokenPluginError("offers nothing: no conf/<group>/<option>.yaml", conf)


def _check_group(folder: Path) -> None:
    group = folder.name
    if group not in GROUPS:
        line = f"conf/{group}: no group called {group!r}{did_you_mean(group, GROUPS)}"
        raise BrokenPluginError(line, folder)
    for path in sorted(folder.iterdir()):
        if path.suffix == ".yml":
            line = f"conf/{group}/{path.name}: Hydra reads only .yaml"
            raise BrokenPluginError(line, path)
        if path.is_dir() and not path.name.startswith((".", "_")):
            line = f"conf/{group}/{path.name} is a folder; options are files"
            raise BrokenPluginError(line, path)


def _text(value: object) -> str:
    """Return a value that is one line of text, else nothing."""
    is_line = isinstance(value, str) and not re.search(r"[\x00-\x1f\x7f]", value)
    return str(value).strip() if is_line else ""


def _texts(value: object) -> tuple[str, ...]:
    items = cast(list[object], value) if isinstance(value, list) else []
    return tuple(text for item in items if (text := _text(item)))
