"""The end of a sweep: its table, which setting is the best, and what is left to do."""

import importlib
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from nnlab.errors import UserError
from nnlab.report.sweep_table import sweep_table
from nnlab.screen import screen
from nnlab.sweep.job import Job
from nnlab.sweep.ledger import Ledger
from nnlab.sweep.pool import Pool
from nnlab.sweep.search.sweeper import show_search


def conclude(pool: Pool, *, is_part: bool) -> int:
    """Print what came out, and what is left to do; return the exit status.

    Args:
        pool: whose jobs are over.
        is_part: of something larger: what went wrong is told, and no more.
    """
    ledger = pool.ledger
    jobs = list(ledger.jobs.values())
    counts = Counter(job.status for job in jobs)
    left = len(jobs) - sum(counts[s] for s in ("complete", "failed", "pruned"))
    left += pool.to_ask()
    ledger.status = (
        "interrupted" if left else "failed" if counts["failed"] else "complete"
    )
    ledger.save(at_once=True)
    if pool.asks or not is_part:
        _show(pool, jobs, complete=counts["complete"])
    elif screen().is_terminal:  # where the jobs' own table is gone
        screen().print(pool.board.summary(), soft_wrap=True, markup=False)
    _tell_failures(jobs)
    if pool.leaving:
        _say(f"{pool.leaving}; {counts['waiting']} of {len(jobs)} jobs not started")
    if not is_part:
        _say_what_is_left(pool, counts, left)
    if pool.stopped_by is not None:
        return 128 + pool.stopped_by
    return int(left > 0 or counts["failed"] > 0)


def _show(pool: Pool, jobs: Sequence[Job], *, complete: int) -> None:
    if pool.asks:
        show_search(pool)
        return
    console = screen()
    console.print(sweep_table([asdict(job) for job in jobs], width=console.width))
    if complete > 1:
        _answer(pool.ledger)


def _tell_failures(jobs: Sequence[Job]) -> None:
    """Say why each failed; once where all did, and for the same reason."""
    ends = {(job.status, job.cause) for job in jobs}
    if len(jobs) > 1 and len(ends) == 1 and jobs[0].status == "failed":
        _say(f"each of {len(jobs)} jobs failed: {jobs[0].cause}")
        return
    for job in jobs:
        if job.status in ("failed", "interrupted"):
            _say(f"job {job.number} ({job.name}) {job.status}: {job.cause}")


def _say_what_is_left(pool: Pool, counts: Counter[str], left: int) -> None:
    named = "" if pool.options.name else f" with sweep.name={pool.ledger.folder.name}"
    if left:
        _say(f"the same command{named} continues it")
    if not pool.begun and counts["complete"] == counts.total():
        _say("every job was complete already; more values add jobs")
    if not pool.asks and counts["failed"]:
        _say(f"sweep.retry=failed{named} tries again what failed")


def import_for_the_answer() -> None:
    """Import what the answer needs, while the jobs' process imports torch."""
    for module in ("nnlab.leaderboard.answer", "scipy.special"):
        importlib.import_module(module)


def _answer(ledger: Ledger) -> None:
    """Write and print the leaderboard: which setting is the best, how sure that is."""
    from nnlab.leaderboard.answer import answer
    from nnlab.report.past_runs import past_runs

    runs = past_runs(ledger.folder)
    facts = {"command": shlex.join(["nnlab", "-m", *ledger.command])}
    try:
        answer(runs, ledger.folder, screen(), None, facts=facts)
    except UserError as error:  # models that measure nothing in common
        _say(str(error))


def _say(sentence: str) -> None:
    sys.stderr.write(f"nnlab: {sentence}\n")
