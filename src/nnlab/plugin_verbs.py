"""`nnlab plugins`: what there is, a new one, and whether one keeps what nnlab asks."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from shlex import quote

from nnlab.catalog import plugin_info, plugins_table
from nnlab.errors import UserError, did_you_mean
from nnlab.plugins.new import KIND, write_plugin
from nnlab.plugins.page import chosen
from nnlab.plugins.plugin import GROUPS

USAGE = """\
nnlab plugins list         the plugins that were found, and why one is off
nnlab plugins info NAME    all that is known of one, or of an option of one
nnlab plugins new NAME     write one that works: kind=regularizer, or another of
                           {kinds}
nnlab plugins check PATH   does it keep what nnlab asks? a line a check
"""


def plugins(words: list[str]) -> int:
    """Show, write or check plugins; return the exit status."""
    verb, *rest = words or ["list"]
    if verb in ("--help", "-h"):
        sys.stdout.write(_usage())
        return 0
    if verb not in _VERBS:
        hint = did_you_mean(verb, _VERBS)
        raise UserError(f"no verb called 'plugins {' '.join(words)}'{hint}")
    return _VERBS[verb](rest)


def _list(words: list[str]) -> int:
    if words:
        raise UserError(f"plugins list takes nothing more, and {words[0]!r} was given")
    sys.stdout.write(plugins_table())
    return 0


def _info(words: list[str]) -> int:
    sys.stdout.write(plugin_info(_only(words, "info", "a plugin's name")))
    return 0


def _new(words: list[str]) -> int:
    given = dict(word.split("=", 1) for word in words if "=" in word)
    names = [word for word in words if "=" not in word]
    for key in given:
        if key != "kind":
            raise UserError(
                f"plugins new: no option {key!r}{did_you_mean(key, ['kind'])}"
            )
    place = Path(_only(names, "new", "a name, such as my_plugin"))
    if place.name in GROUPS and "kind" not in given:
        raise UserError(
            f"plugins new needs a name, and {place.name!r} is a kind; did you mean "
            f"plugins new my_{place.name} kind={place.name}?"
        )
    kind = given.get("kind", KIND)
    files = write_plugin(place, kind)
    shown = Path(os.path.relpath(place.expanduser()))
    plain = shown if not str(shown).startswith("..") else place
    sys.stdout.write(
        "".join(f"{plain / file}\n" for file in sorted(files))
        # whole, for it is copied into an `export`, and the folder is left
        + f"\nNNLAB_PLUGINS={quote(str(place.expanduser().absolute()))} "
        f"nnlab {_quoted(chosen(kind, place.name))}\n"
        f"nnlab plugins check {quote(str(plain))}\n"
    )
    return 0


def _check(words: list[str]) -> int:
    place = _only(words, "check", "the folder of a plugin")
    from nnlab.testing.case import plugin_at
    from nnlab.testing.report import check

    def write(line: str) -> None:
        sys.stdout.write(line)
        sys.stdout.flush()

    return check(plugin_at(place), write)


def _only(words: list[str], verb: str, what: str) -> str:
    if not words:
        raise UserError(f"plugins {verb} needs {what}; plugins list shows them")
    if len(words) > 1:
        raise UserError(f"plugins {verb} takes one word, and {words[1]!r} is another")
    if not words[0]:
        raise UserError(f"plugins {verb} needs {what}, and '' is none")
    return words[0]


def _quoted(word: str) -> str:
    return f"'{word}'" if "[" in word else word  # zsh reads brackets itself


def _usage() -> str:
    kinds = [kind for kind in GROUPS if kind != KIND]
    half = len(kinds) // 2
    indent = ",\n" + " " * 27
    text = indent.join([", ".join(kinds[:half]), ", ".join(kinds[half:])])
    return USAGE.format(kinds=text)


_VERBS: dict[str, Callable[[list[str]], int]] = {
    "list": _list,
    "info": _info,
    "new": _new,
    "check": _check,
}
