"""Whether what a plugin requires is installed: at once for `scipy>=1.10` and its like.

`packaging` and `importlib.metadata` take 35 ms to import, most of what finding plugins
may cost; they are asked where a requirement says more than versions made of numbers.
"""

import os
import re
import sys
from itertools import zip_longest

from nnlab import __version__

_PLAIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*((?:[<>=!]=?\s*[\d.]+\s*,?\s*)*)")
_ONE = re.compile(r"(>=|<=|==|!=|<|>)\s*(\d+(?:\.\d+)*)(?=\s*(?:,|$))")
_NUMBERS = re.compile(r"(\d+(?:\.\d+)*)(?:\+[\w.]+)?")  # 2.9.1, 2.9.1+cpu


def unmet(requirement: str) -> str | None:
    """Return why a PEP 508 requirement does not hold here, in one line, or None."""
    return None if _plainly_holds(requirement.strip()) else _unmet(requirement)


def _plainly_holds(requirement: str) -> bool:
    """Return whether it is made of numbers only, and holds; else packaging is asked."""
    plain = _PLAIN.fullmatch(requirement)
    if plain is None:
        return False
    limits = _ONE.findall(plain[2])
    version = _NUMBERS.fullmatch(_version(plain[1]) or "")
    if version is None or len(limits) != len([*filter(None, plain[2].split(","))]):
        return False
    return all(_holds(version[1], sign, limit) for sign, limit in limits)


def _holds(version: str, sign: str, limit: str) -> bool:
    pairs = zip_longest(*(map(int, each.split(".")) for each in (version, limit)))
    pairs = [(first or 0, second or 0) for first, second in pairs]
    ours, theirs = [first for first, _ in pairs], [second for _, second in pairs]
    return {
        ">=": ours >= theirs,
        "<=": ours <= theirs,
        "==": ours == theirs,
        "!=": ours != theirs,
        "<": ours < theirs,
        ">": ours > theirs,
    }[sign]


def _version(name: str) -> str | None:
    """Return a package's version as the name of its folder says it."""
    if _normal(name) == "nnlab":
        return __version__  # what runs, not what an old editable install recorded
    for path in filter(os.path.isdir, sys.path):
        for entry in os.listdir(path):  # noqa: PTH208  # half the time of pathlib's
            stem, dot, kind = entry.rpartition(".")
            package, _, version = stem.partition("-")
            if dot and kind == "dist-info" and _normal(package) == _normal(name):
                return version
    return None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _unmet(requirement: str) -> str | None:
    from importlib import metadata

    from packaging.requirements import InvalidRequirement, Requirement

    try:
        wanted = Requirement(requirement)
    except InvalidRequirement:
        return f"requires: {requirement!r} is not a requirement, such as 'scipy>=1.10'"
    if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
        return None
    if _normal(wanted.name) == "nnlab":
        version = __version__
    else:
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            return f"needs {wanted}, and {wanted.name} is not installed"
    if not wanted.specifier.contains(version, prereleases=True):
        return f"needs {wanted}, and {wanted.name} {version} is installed"
    return None
