"""`nnlab plugins new`: a folder with a plugin that works, to be changed bit by bit."""

import os
import re
import shutil
import sys
import tempfile
from keyword import iskeyword
from pathlib import Path

from nnlab.errors import UserError, did_you_mean
from nnlab.home import conf_folder
from nnlab.plugins.find import discover
from nnlab.plugins.page import chosen
from nnlab.plugins.plugin import GROUPS, MANIFEST, options_in
from nnlab.plugins.use import TRUSTED

TEMPLATE = Path(__file__).parent / "template"
KIND = "regularizer"  # where none is said

# What the templates are called, and what stands in for what a kind alone knows.
NAME, CLASS = "my_plugin", "MyPlugin"
COMMON = (MANIFEST, "README.md", f"test_{NAME}.py")


def write_plugin(place: Path, kind: str = KIND) -> list[Path]:
    """Write a plugin of that kind into a new folder; return its files, relative to it.

    The folder is there whole, or not at all.

    Raises:
        UserError: where the name or the kind will not do, or the folder is there.
    """
    place = place.expanduser()
    name = place.name
    _check_kind(kind)
    _check_name(name, kind)
    if place.exists() or place.is_symlink():
        raise UserError(f"{place} is there already; give another name")
    made = _make_parents(place.parent)
    part = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=place.parent))
    try:
        files = _contents(name, kind)
        for file, text in files.items():
            (part / file).parent.mkdir(parents=True, exist_ok=True)
            (part / file).write_text(text, encoding="utf-8")
        part.chmod(0o777 & ~_umask())
        part.rename(place)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        for folder in made:
            folder.rmdir()
        if isinstance(error, OSError):
            raise _unwritable(place, error) from error
        raise
    return [Path(file) for file in files]


def _contents(name: str, kind: str) -> dict[str, str]:
    """Return the text of each file, by its place in the plugin's folder."""
    sources = {file: TEMPLATE / file for file in COMMON}
    sources[f"conf/{kind}/{NAME}.yaml"] = TEMPLATE / kind / f"{NAME}.yaml"
    code = TEMPLATE / kind / f"{NAME}.py"
    if code.is_file():  # some kinds are values only
        sources[f"{NAME}.py"] = code
    purposes = {
        f"{name}.py": "what it does",
        f"conf/{kind}/{name}.yaml": "its numbers, and the line that `nnlab list` shows",
        MANIFEST: "name, version, and what it needs",
        f"test_{name}.py": "its tests",
    }
    lines = [
        f"- `{file}`: {purpose}"
        for file, purpose in purposes.items()
        if file.replace(name, NAME) in sources
    ]
    words = {
        NAME: name,
        CLASS: "".join(part.capitalize() for part in name.split("_")),
        "KIND": kind,
        "CHOICE": chosen(kind, name),
        "FILES": "\n".join(lines),
    }
    pattern = re.compile("|".join(words))
    return {
        file.replace(NAME, name): pattern.sub(
            lambda found: words[found[0]], source.read_text(encoding="utf-8")
        )
        for file, source in sources.items()
    }


def _check_kind(kind: str) -> None:
    if kind not in GROUPS:
        raise UserError(f"kind={kind} is none of the kinds{did_you_mean(kind, GROUPS)}")


def _check_name(name: str, kind: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or iskeyword(name):
        hint = re.sub(r"\W+", "_", name).strip("_").lower()
        good = re.fullmatch(r"[a-z][a-z0-9_]*", hint) and not iskeyword(hint)
        raise UserError(
            f"{name!r} cannot be a plugin's name, which stands in `import "
            "nnlab.ext.<name>`: small letters, digits and _; try "
            f"{hint if good else 'my_plugin'}"
        )
    if name in sys.stdlib_module_names or name in TRUSTED or name == "test":
        raise UserError(
            f"{name!r} is a module's name already, which {name}.py would hide from the "
            f"plugin's tests; try my_{name}"
        )
    if name in options_in(conf_folder() / kind):
        raise UserError(f"{kind}={name} is nnlab's own already; try my_{name}")
    for plugin in discover():
        if plugin.name == name:
            raise UserError(
                f"there is a plugin called {name} already ({plugin.folder}); "
                f"try my_{name}"
            )
        if name in plugin.options().get(kind, []):
            raise UserError(
                f"{kind}={name} is the plugin {plugin.name}'s already; try my_{name}"
            )


def _make_parents(folder: Path) -> list[Path]:
    """Make the folder and those above it; return what was made, the innermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{folder} cannot be written to; give another folder")
    return missing


def _unwritable(place: Path, error: OSError) -> UserError:
    return UserError(f"{place} cannot be written: {error.strerror}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
