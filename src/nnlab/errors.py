"""The one exception for a user's mistake, and the search for what was meant."""

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches


class UserError(ValueError):
    """A user's mistake, said in one sentence: the key, the value, the remedy.

    The command line prints the sentence and exits with status 2.
    """


class RunFailed(Exception):  # noqa: N818  # what happened, not a programming error
    """A run that had begun ended in an error; its folder tells the whole story.

    The command line prints the sentence and exits with status 1.
    """


def did_you_mean(word: str, known: Iterable[str], prefix: str = "") -> str:
    """Return `; did you mean lenet5?`, or the choices where none is close.

    The prefix is shown, not compared: `model.` before the names of a model's keys.
    """
    known = sorted(set(known))
    close = get_close_matches(word, known, n=2, cutoff=0.6)
    if len(close) == 2 and _likeness(word, close[0]) - _likeness(word, close[1]) > 0.1:
        close.pop()
    if not close:
        # `lenet` for `lenet5`, `shake` for `shakespeare`: too short for the ratio
        close = [name for name in known if word and name.startswith(word)][:2]
    if close:
        return f"; did you mean {' or '.join(prefix + name for name in close)}?"
    if not known:
        return ""
    shown = ", ".join(prefix + name for name in known[:12]) + (
        ", …" if len(known) > 12 else ""
    )
    return f"; there is {shown}"


def _likeness(word: str, name: str) -> float:
    return SequenceMatcher(None, word, name).ratio()
