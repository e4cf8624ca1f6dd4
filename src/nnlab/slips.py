"""Slips of the hand, seen in the words alone: a blank too many, a key left out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import takewhile
from pathlib import Path

from nnlab.errors import UserError
from nnlab.home import conf_folder

TEXTS = ("prompt", "input")  # whose values may have blanks, within quotes
TWO_SETTINGS = re.compile(r"[\w./]+=[^,=\[{'\"]+,[\w./]+=")
# The key of what a person most likely names without one.
PLACES = {
    **dict.fromkeys(("test", "generate", "predict", "export", "rerun"), "run"),
    **dict.fromkeys(("diff", "compare"), "run"),
    "runs": "below",
}


def check_blanks(words: Sequence[str]) -> None:
    """Check that the shell has split no setting: `model = mlp`, `seed=1, 2`.

    Raises:
        UserError: with the setting that was probably meant.
    """
    for start, word in enumerate(words):
        key, equals, _ = word.partition("=")
        after = words[start + 1 :]
        if equals and key in TEXTS:
            _check_text(key, [word, *takewhile(_is_bare, after)])
            continue
        pieces = [word]
        while after and _goes_on(pieces[-1], after[0]):
            pieces.append(after[0])
            after = after[1:]
        if len(pieces) > 1:
            typed, meant = " ".join(pieces), "".join(pieces)
            around = "=" if "=" in pieces or meant.count(",") == 0 else "= or ,"
            raise UserError(
                f"cannot read {typed!r}: no blanks go around {around}; did you mean "
                f"{meant}?"
            )


def check_keys_said(verb: str, words: Sequence[str]) -> None:
    """Check that a run's folder has its key: `test run=outputs/…`.

    Raises:
        UserError: with the setting that was probably meant.
    """
    places = [word for word in words if verb in PLACES and is_place(word)]
    if places and not (PLACES[verb] == "below" and "latest" in places):
        meant = " ".join(f"{PLACES[verb]}={place}" for place in places)
        raise UserError(f"cannot read {places[0]!r}; did you mean {verb} {meant}?")


def is_place(word: str) -> bool:
    """Tell whether a word without a key is a run's folder, or a file."""
    if not _is_bare(word):
        return False
    is_run = word.endswith(".ckpt") or (Path(word) / "config.yaml").is_file()
    return word == "latest" or "/" in word or is_run


def why_unreadable(word: str, said: str, seen: Mapping[str, str]) -> str:
    """Return why a word is no setting, and what was meant by it.

    Args:
        word: as it was typed.
        said: by Hydra's parser.
        seen: the words before it, by their keys.
    """
    if "=" not in word:
        group, option = named_option(word) or ("", "")
        if option != word.lower():
            return "; a setting is written key=value"
        meant = f"{seen[group]},{option}" if group in seen else f"{group}={option}"
        return f"; did you mean {meant}?"
    reason = (said.splitlines() or [""])[0].partition(" expecting ")[0]
    if "token recognition" in reason and any(word.count(m) % 2 for m in "'\""):
        return ": a quote is missing"
    if "mismatched input '='" in reason and TWO_SETTINGS.match(word):
        return ": settings have a blank between them, and no comma"
    if "'<EOF>'" in reason:
        return ": its end is missing"
    return f": {reason}" if reason else ""


def named_option(word: str, besides: Iterable[str] = ()) -> tuple[str, str] | None:
    """Return the group and option that a word names without its key: `lenet` does.

    Args:
        word: as it was typed.
        besides: words that it may be nearer to.
    """
    groups = ("experiment", "data", "model")  # of two alike the model
    options = {f.stem: g for g in groups for f in (conf_folder() / g).glob("*.yaml")}
    near = get_close_matches(word.lower(), {*options, *besides}, n=1)
    near += sorted(name for name in options if name.startswith(word))
    return (options[near[0]], near[0]) if near and near[0] in options else None


def _check_text(key: str, pieces: Sequence[str]) -> None:
    if len(pieces) == 1:
        return
    text = " ".join(pieces).partition("=")[2]
    several = ",".join(pieces).partition("=")[2]
    files = f"; several files have commas between: {key}={several}"
    raise UserError(
        f'a text with blanks stands in quotes: {key}="{text}"'
        f"{files if key == 'input' else ''}"
    )


def _goes_on(word: str, following: str) -> bool:
    if following.startswith(("=", ",")):
        return not word.startswith("-")
    return word.endswith(("=", ",")) and _is_bare(following)


def _is_bare(word: str) -> bool:
    return "=" not in word and not word.startswith(("-", "~", "+"))
