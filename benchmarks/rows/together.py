"""Two processes beside one."""

from collections.abc import Iterator

from rows.row import Given, Row, compared
from rows.steps import TOKENS, shown
from rows.target import FEW, step_seconds


def together(given: Given) -> Iterator[Row]:
    """Yield what a token takes two processes of this machine, each on one core."""
    if given.quick or not given.has_shakespeare:
        return
    two = ("strategy=ddp", "trainer.devices=2")  # each has as many windows as the one
    turns = [(step_seconds(FEW, *two) / 2, step_seconds(FEW)) for _ in range(3)]
    row = compared("step, gpt, in two processes, by the clock", "", turns, "{}", None)
    yield row._replace(
        peer="in one",
        ours=shown(float(row.ours), TOKENS, "tokens"),
        theirs=shown(float(row.theirs), TOKENS, "tokens"),
    )
