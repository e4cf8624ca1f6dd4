"""The end of a comparison: a table, a sentence, a CSV and a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from nnlab.errors import UserError, did_you_mean
from nnlab.folder import write
from nnlab.leaderboard.entries import common_metric, entries_of, more_is_better
from nnlab.leaderboard.page import write_comparison
from nnlab.leaderboard.table import (
    leaderboard_csv,
    leaderboard_table,
    ranked,
)
from nnlab.leaderboard.verdict import TIES, has_ties, verdict_sentence
from nnlab.numerals import counted
from nnlab.report.commands import seen_from_here
from nnlab.report.run_reading import RunReading

TABLE, PAGE = "leaderboard.csv", "sweep.html"


def answer(
    runs: Sequence[RunReading],
    folder: Path,
    console: Console,
    metric: str | None,
    *,
    facts: Mapping[str, str],
) -> None:
    """Write the leaderboard of runs into a folder, and print it.

    Args:
        runs: newest first.
        folder: gets leaderboard.csv and sweep.html.
        console: where the table and the sentence go.
        metric: what is compared; None: what the runs have in common.
        facts: what the page says of how the runs were made: `command`, `budget`.

    Raises:
        UserError: where there is nothing to compare by.
    """
    metric = metric_of(runs, metric)
    more = more_is_better(metric, runs)
    entries = ranked(entries_of(runs, metric), more=more)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / TABLE, leaderboard_csv(entries, metric))
    title = f"{counted(len(entries), 'entry', 'entries')}, {counted(len(runs), 'run')}"
    data = dict.fromkeys(entry.data for entry in entries)
    title += f" on {' and '.join(data)}"
    page = write_comparison(
        folder / PAGE, entries, metric, more=more, title=title, facts=facts
    )
    console.print(leaderboard_table(entries, metric, console))
    if has_ties(entries):
        console.print(TIES)
    console.print(verdict_sentence(entries, metric))
    console.print(f"the page: {seen_from_here(page)}", soft_wrap=True)


def metric_of(runs: Sequence[RunReading], wanted: str | None) -> str:
    """Return the name of what is compared.

    Raises:
        UserError: where no run has it, or no complete run is there.
    """
    known = {name for run in runs if run.status == "complete" for name in run.metrics}
    if not known:
        raise UserError("no run of them is complete, so there is nothing to compare")
    metric = wanted or common_metric(runs)
    if metric is None or metric not in known:
        raise UserError(
            f"no complete run has metric={metric}{did_you_mean(str(metric), known)}"
            if metric
            else "the runs have no metric in common; name one: metric=test/loss"
        )
    return metric
