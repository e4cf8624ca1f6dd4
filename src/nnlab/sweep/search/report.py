"""The end of a search: its trials, the best first, and how to run that one again."""

import shlex
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nnlab.numerals import counted
from nnlab.report.commands import seen_from_here
from nnlab.report.mask import masked_override
from nnlab.report.sweep_table import STYLES, WHOLE_RUN
from nnlab.report.wording import duration_text, metric_text
from nnlab.sweep.job import Job
from nnlab.sweep.search.pictures import draw_search
from nnlab.sweep.search.search import Search
from nnlab.sweep.search.study import FrozenTrial, TrialState

MOST_ROWS = 20
BEST_MOST = 5  # of a trade-off
STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "interrupted",
}


def report_search(search: Search, console: Console) -> None:
    """Print a search's table and its best trials, and draw its pictures."""
    console.print(search_table(search))
    best = best_trials(search)
    for trial in best[:BEST_MOST]:
        console.print(f"{_title(search, best)} {_claim(search, trial)}")
        words = [masked_override(w) for w in search.space.job(trial.params)]
        console.print(f"  python -m nnlab {shlex.join(words)}", soft_wrap=True)
    if len(best) > BEST_MOST:
        console.print(f"and {len(best) - BEST_MOST} more that none of these beats")
    files = draw_search(search.study, search.options, search.ledger.folder / "figures")
    if files:
        folder = seen_from_here(search.ledger.folder / "figures")
        console.print(f"{len(files)} pictures in {folder}", soft_wrap=True)


def best_trials(search: Search) -> list[FrozenTrial]:
    """Return the best trial; of a trade-off those that no other beats in everything."""
    complete = [t for t in search.study.trials if t.state == TrialState.COMPLETE]
    if not complete:
        return []
    if len(search.options.metrics) == 1:
        return [search.study.best_trial]
    return sorted(search.study.best_trials, key=lambda trial: trial.values)


def search_table(search: Search) -> Table:
    """Return the table of a search's trials, the best first."""
    names = [dimension.name for dimension in search.space.dimensions]
    jobs = {job.number: job for job in search.ledger.jobs.values()}
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("trial", justify="right")
    lasts = [name.rpartition(".")[2] for name in names]
    for name, last in zip(names, lasts, strict=True):
        table.add_column(last if lasts.count(last) == 1 else name, overflow="fold")
    for metric in search.options.metrics:
        table.add_column(metric, justify="right")
    table.add_column("status")
    table.add_column(WHOLE_RUN, justify="right")
    known = [trial for trial in search.study.trials if trial.state in STATES]
    trials = sorted(_first_of_their_job(known), key=lambda each: _place(search, each))
    for trial in trials[:MOST_ROWS]:
        job = jobs.get(trial.user_attrs.get("job", -1))
        status = STATES[trial.state]
        table.add_row(
            str(trial.number),
            *(_short(trial.params.get(name, "")) for name in names),
            *_told(search, trial),
            Text(status, style=STYLES.get(status, "")),
            _time(job),
        )
    said: list[str] = []
    if len(trials) > MOST_ROWS:
        said.append(f"and {len(trials) - MOST_ROWS} more in study.db")
    if again := len(known) - len(trials):
        said.append(f"{counted(again, 'trial')} asked for one of these again")
    table.caption, table.caption_justify = "; ".join(said) or None, "left"
    return table


def _first_of_their_job(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials without those whose values had been tried: no job ran for them.

    One that ended in another way than the first of its job stays.
    """
    found: dict[object, FrozenTrial] = {}
    for trial in trials:
        job = trial.user_attrs.get("job", -1 - trial.number)
        found.setdefault((job, trial.state), trial)
    return [*found.values()]


def _place(search: Search, trial: FrozenTrial) -> tuple[int, float, int]:
    """Return what trials are sorted by: how they ended, how good, when."""
    order = [*STATES, TrialState.WAITING].index(trial.state)
    if trial.state != TrialState.COMPLETE:
        return order, 0, trial.number
    sign = 1 if search.options.directions[0] == "minimize" else -1
    return order, sign * trial.values[0], trial.number


def _told(search: Search, trial: FrozenTrial) -> Sequence[str]:
    metrics = search.options.metrics
    if trial.state == TrialState.COMPLETE:
        return [metric_text(*pair) for pair in zip(metrics, trial.values, strict=True)]
    last = list(trial.intermediate_values.values())[-1:]
    shown = [f"({metric_text(metrics[0], value)})" for value in last]
    return shown + [""] * (len(metrics) - len(shown))


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _time(job: Job | None) -> str:
    return duration_text(job.seconds) if job is not None and job.seconds else ""


def _title(search: Search, best: Sequence[FrozenTrial]) -> str:
    return "best:" if len(best) == 1 else "among the best:"


def _claim(search: Search, trial: FrozenTrial) -> str:
    pairs = zip(search.options.metrics, trial.values, strict=True)
    said = ", ".join(f"{name} {metric_text(name, value)}" for name, value in pairs)
    return f"trial {trial.number}, {said}; it runs again with"
