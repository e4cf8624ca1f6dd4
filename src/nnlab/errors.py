"""The one exception for a user's mistake, and the search for what was meant."""

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher, get_close_matches
from typing import Any

SHOWN = 12  # choices in a sentence


class UserError(ValueError):
    """A user's mistake, said in one sentence: the key, the value, the remedy.

    The command line prints the sentence and exits with status 2.
    """


class RunFailed(Exception):  # noqa: N818  # what happened, not a programming error
    """A run that had begun ended in an error; its folder tells the whole story.

    The command line prints the sentence and exits with status 1.
    """


def did_you_mean(
    word: str, known: Iterable[str], prefix: str = "", *, more: str = ""
) -> str:
    """Return `; did you mean lenet5?`, or the choices where none is close.

    The prefix is shown, not compared: `model.` before the names of a model's keys.
    `more` is a command that shows the choices, where they are too many for a sentence.
    """
    known = sorted(set(known))
    close = [name for name in known if name.lower() == word.lower()]  # SGD for sgd
    close = close or get_close_matches(word, known, n=2, cutoff=0.6)
    if len(close) == 2 and _likeness(word, close[0]) - _likeness(word, close[1]) > 0.1:
        close.pop()
    if not close:
        # `lenet` for `lenet5`, `shake` for `shakespeare`: too short for the ratio
        close = [name for name in known if word and name.startswith(word)][:2]
    if close:
        return f"; did you mean {' or '.join(prefix + name for name in close)}?"
    if not known:
        return ""
    shown = ", ".join(prefix + name for name in known[:SHOWN])
    if len(known) <= SHOWN:
        return f"; there is {shown}"
    return f"; there is {shown}, …" + (f" ({more} shows all)" if more else "")


def as_typed(value: Any) -> str:
    """Return a value as the command line takes it: null, true, [0.9,0.95]."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(map(as_typed, value))}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{k}:{as_typed(v)}' for k, v in value.items())}}}"
    return str(value)


def _likeness(word: str, name: str) -> float:
    return SequenceMatcher(None, word, name).ratio()
