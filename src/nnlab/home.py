"""Where conf/ and the bundled plugins lie: in a checkout, or inside the wheel."""

import tomllib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def conf_folder() -> Path:
    """Return the folder of nnlab's own config groups, whatever the current folder."""
    checkout = checkout_folder()
    return checkout / "conf" if checkout else PACKAGE / "conf"


def bundled_plugins_folder() -> Path:
    """Return the folder of the plugins that come with nnlab."""
    checkout = checkout_folder()
    return checkout / "plugins" if checkout else PACKAGE / "_plugins"


@cache
def checkout_folder() -> Path | None:
    """Return nnlab's source tree where this code runs from one.

    It goes before the copies in the wheel: an editable install may hold stale ones.
    """
    root = PACKAGE.parents[1]
    project = root / "pyproject.toml"
    if not project.is_file() or not (root / "conf").is_dir():
        return None
    try:
        name = tomllib.loads(project.read_text("utf-8")).get("project", {}).get("name")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None  # somebody else's project, around a copy of this package
    return root if name == "nnlab" else None
