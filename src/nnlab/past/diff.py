"""The verb `diff`: in what two runs differ, and what came of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from nnlab.errors import UserError
from nnlab.numerals import below_one
from nnlab.past.asked import asked, check_known, run_in
from nnlab.report.commands import seen_from_here
from nnlab.report.past_runs import flat
from nnlab.report.run_reading import RunReading
from nnlab.screen import screen

# Different in any two runs, and no cause of anything.
OF_COURSE = {"folder", "command"}
Differences = dict[str, tuple[Any, Any]]


def diff(words: Sequence[str]) -> int:
    """Show in what two runs differ: diff run=A run=B.

    Raises:
        UserError: where two runs are not named.
    """
    given = asked(words)
    check_known("diff", given, ["run"])
    places = given.get("run")
    if not isinstance(places, list) or len(places) != 2:
        raise UserError("diff needs two runs: nnlab diff run=outputs/a run=outputs/b")
    one, other = (run_in(place, "run") for place in places)
    console = screen()
    for letter, run in zip("AB", (one, other), strict=True):
        console.print(
            f"{letter}  {seen_from_here(run.path)}  {run.status}", soft_wrap=True
        )
    found = run_differences(one, other)
    for title, differences in found.items():
        if differences:
            console.print(differences_table(title, differences))
    if not any(found.values()):
        console.print("no difference: settings, environment and results are the same")
    return 0


def run_differences(one: RunReading, other: RunReading) -> dict[str, Differences]:
    """Return in what two runs differ: settings, environment, results."""
    return {
        "settings": differences(one.config, other.config),
        "environment": differences(one.environment, other.environment),
        "results": differences(_results(one), _results(other)),
    }


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> Differences:
    """Return the values that differ, by dotted name; `-` where one has none."""
    left, right = flat(one), flat(other)
    names = [*left, *(name for name in right if name not in left)]
    pairs = {name: (left.get(name, "-"), right.get(name, "-")) for name in names}
    return {
        name: pair
        for name, pair in pairs.items()
        if pair[0] != pair[1] and name not in OF_COURSE
    }


def _results(run: RunReading) -> dict[str, Any]:
    kept = ("parameters", "trainable", "steps", "epochs", "best_epoch", "seconds")
    result = {"trainable": run.result.get("parameters"), **run.result}  # older: all
    return {**run.metrics, **{key: result.get(key) for key in kept}}


def differences_table(title: str, found: Differences) -> Table:
    """Return the table of what differs, a row each."""
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE,
        pad_edge=False,
        title_style="",
    )
    table.add_column("", overflow="fold")
    table.add_column("A", overflow="fold")
    table.add_column("B", overflow="fold")
    for name, pair in found.items():
        table.add_row(Text(name), *(Text(_said(value)) for value in pair))
    return table


def _said(value: Any) -> str:
    return below_one(value, ".6g") if isinstance(value, float) else str(value)
