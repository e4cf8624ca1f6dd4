"""`transfer.run=latest`: the folder itself takes the word's place, before it changes.

A run that begins writes to outputs as well, and a run that goes on begins with the same
body as before.
"""

from collections.abc import Sequence

from nnlab.errors import UserError
from nnlab.folder import latest_run
from nnlab.report.commands import override_value

KEY = "transfer.run"


def with_latest_named(words: Sequence[str], *, is_sweep: bool) -> list[str]:
    """Return the words, with the folder of the run that is the latest now.

    Raises:
        UserError: where there is none; of a sweep, which goes on by the same words.
    """
    named: list[str] = []
    for word in words:
        if word.lstrip("+") == f"{KEY}=latest":
            place = latest_run(KEY)
            meant = f"{KEY}={override_value(place)}"
            if is_sweep:
                raise UserError(
                    f"{word} would be one of the sweep's own runs when it goes on; "
                    f"name the folder: {meant}"
                )
            word = meant
        named.append(word)
    return named
