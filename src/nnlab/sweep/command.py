"""`nnlab -m`: every job checked, then run, then one table; what failed is told.

Nothing here imports torch (but for sweep.fork=false): the server does, while jobs are
checked here, and is asked for what only torch knows.
"""

import importlib
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from nnlab.compose import Composer, plain
from nnlab.errors import UserError
from nnlab.overrides import checked, parse
from nnlab.report.sweep_table import sweep_table
from nnlab.screen import screen
from nnlab.settings import check_settings
from nnlab.sweep.beyond.launchers import RayLauncher, SubmititLauncher, check_launcher
from nnlab.sweep.board import Board
from nnlab.sweep.devices import Devices, gpus_here, threads_each
from nnlab.sweep.grid_sweeper import GridSweeper, grid_jobs
from nnlab.sweep.job import Job, identity, key_of, own_words
from nnlab.sweep.job_server import JobServer
from nnlab.sweep.launcher import LocalLauncher
from nnlab.sweep.ledger import Ledger
from nnlab.sweep.options import SweepOptions
from nnlab.sweep.place import sweep_folder
from nnlab.sweep.pool import Pool
from nnlab.sweep.sample import sample_jobs
from nnlab.sweep.search.sweeper import (
    OptunaSweeper,
    check_words,
    plan_search,
    pool_type,
    show_search,
)
from nnlab.sweep.side_by_side import check_workers, free_memory, side_by_side

ONE_RUN = ("folder", "resume")


def run_sweep(
    overrides: list[str], composer: Composer, ahead: JobServer | None = None
) -> int:
    """Run every job of a sweep; return 0, 1 where one failed, 130 after Ctrl-C.

    Args:
        overrides: of the sweep.
        composer: for its config.
        ahead: a server of forks that was begun before.

    Raises:
        UserError: before anything is written.
    """
    check_words(overrides)
    options = _options(overrides, composer)
    is_here = check_launcher(overrides, composer)
    if is_here:
        check_workers(options.workers)
    with _server(ahead, composer, fork=options.fork) as server:
        words, configs = _checked(overrides, composer)
        config = configs[-1]
        plan = plan_search(words, config, composer)
        jobs = None if plan else grid_jobs(words, composer)
        sweep_config = composer.compose_multirun(words)
        if jobs and len(jobs) > 1:
            _import_for_the_answer()  # while the server imports torch for the jobs
        gpus = server.look(configs, is_here=is_here)
        with sweep_folder(config["output_dir"], options.name) as folder:
            ledger = _ledger(folder, words, jobs)
            server.hold(folder)
            devices = Devices(gpus_here(os.environ, gpus))
            workers = options.workers or _usual_workers(configs, devices, plan)
            pool = pool_type(plan)(
                ledger,
                options,
                workers=workers,
                server=server,
                trainer_of=lambda job: plain(composer.compose(job))["trainer"],
                devices=devices,
                threads=threads_each(os.environ, workers),
                board=Board(ledger, screen()),
            )
            ours = {
                "GridSweeper": GridSweeper,
                "OptunaSweeper": partial(OptunaSweeper, pool=pool, plan=plan),
                "LocalLauncher": partial(LocalLauncher, pool=pool),
                "SubmititLauncher": partial(SubmititLauncher, pool=pool),
                "RayLauncher": partial(RayLauncher, pool=pool),
            }
            with pool.listening():
                composer.multirun(sweep_config, folder, ours)
                server.end()  # while the table is made
                return _report(ledger, pool)


def _server(ahead: JobServer | None, composer: Composer, *, fork: bool) -> JobServer:
    if ahead is not None and fork:
        ahead.composer = composer
        return ahead
    if ahead is not None:
        ahead.end()
    return JobServer(fork=fork, composer=composer)


def _options(overrides: Sequence[str], composer: Composer) -> SweepOptions:
    """Return what the sweep's own words say, before its jobs are looked at."""
    ours: list[str] = []
    for override, word in zip(
        parse(overrides, composer.loader), overrides, strict=True
    ):
        key = override.key_or_group
        if key in ONE_RUN:
            raise UserError(
                f"{key}= is for one run; a sweep's jobs have their own folders"
            )
        if key.split(".")[0] == "sweep":
            if override.is_sweep_override():
                raise UserError(f"{word} gives several values; it takes one")
            ours.append(word)
        elif key == "experiment" and not override.is_sweep_override():
            ours.append(word)
    config = plain(composer.compose(checked(ours, composer)))
    return SweepOptions.of(config["sweep"])


def _checked(
    overrides: Sequence[str], composer: Composer
) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the words, a `+` where Hydra wants one; the configs of some jobs.

    Raises:
        UserError: where any value of any job is not accepted.
    """
    plus: set[str] = set()
    configs: list[dict[str, Any]] = []
    for job in sample_jobs(overrides, composer):
        accepted = checked(job, composer)
        plus |= {key_of(word) for word in accepted if word.startswith("+")}
        config = plain(composer.compose(accepted))
        _check_no_study(config)
        check_settings(config, is_here=False)  # the server will tell what is here
        configs.append(config)
    words = [f"+{w}" if w.partition("=")[0] in plus else w for w in overrides]
    return words, configs


def _usual_workers(
    configs: Sequence[Mapping[str, Any]], devices: Devices, plan: Any
) -> int:
    if plan is not None:
        return 1  # more would have Optuna propose before it has heard of the last
    memory, gpus = free_memory(), len(devices.gpus)
    return side_by_side(configs, gpus=gpus, environment=os.environ, memory=memory)


def _check_no_study(config: dict[str, Any]) -> None:
    study = config.get("study")
    if study and not isinstance(study, dict):
        raise UserError(f"study={study} must be values by name: study.seeds=[1,2,3]")
    if study and all(study[part] is None for part in ("target", "size", "way")):
        raise UserError(
            f"experiment={config['choices']['experiment']} is a study, which runs a "
            "sweep of its own: leave out -m; study.seeds=[1,2,3] repeats it"
        )


def _ledger(
    folder: Path, words: Sequence[str], asked: Sequence[Sequence[str]] | None
) -> Ledger:
    """Return the folder's ledger, to be continued by this command.

    Raises:
        UserError: where it is that of another sweep.
    """
    ledger, before = Ledger(folder, words), Ledger.read(folder)
    if before.jobs and before.command != ledger.command:
        hashes = {identity(own_words(job)) for job in asked or ()}
        left_out = [before.jobs[key].name for key in before.jobs.keys() - hashes]
        if left_out:
            more = f" and {len(left_out) - 1} more" if left_out[1:] else ""
            raise UserError(
                f"sweep.name={folder.name} is another sweep "
                f"({' '.join(before.command)}), with a job that this one has not "
                f"({min(left_out)}{more}); the same command continues it, one with "
                "more values adds to it, fewer or others need another name"
            )
    ledger.jobs = before.jobs
    return ledger


def _report(ledger: Ledger, pool: Pool) -> int:
    """Print the table, and what is left to do; return the exit status."""
    jobs = list(ledger.jobs.values())
    counts = Counter(job.status for job in jobs)
    left = len(jobs) - sum(counts[s] for s in ("complete", "failed", "pruned"))
    is_grid, left = not pool.asks, left + pool.to_ask()
    ledger.status = (
        "interrupted" if left else "failed" if counts["failed"] else "complete"
    )
    ledger.save(at_once=True)
    if is_grid:
        console = screen()
        table = sweep_table([asdict(job) for job in jobs], width=console.width)
        console.print(table)
    else:
        show_search(pool)
    if is_grid and counts["complete"] > 1:
        _answer(ledger)
    _tell_failures(jobs)
    if pool.leaving:
        _say(f"{pool.leaving}; {counts['waiting']} of {len(jobs)} jobs not started")
    named = "" if pool.options.name else f" with sweep.name={ledger.folder.name}"
    if left:
        _say(f"the same command{named} continues it")
    if not pool.begun and counts["complete"] == len(jobs):
        _say("every job was complete already; more values add jobs")
    if is_grid and counts["failed"]:
        _say(f"sweep.retry=failed{named} tries again what failed")
    if pool.stopped_by is not None:
        return 128 + pool.stopped_by
    return int(left > 0 or counts["failed"] > 0)


def _tell_failures(jobs: Sequence[Job]) -> None:
    """Say why each failed; once where all did, and for the same reason."""
    ends = {(job.status, job.cause) for job in jobs}
    if len(jobs) > 1 and len(ends) == 1 and jobs[0].status == "failed":
        _say(f"each of {len(jobs)} jobs failed: {jobs[0].cause}")
        return
    for job in jobs:
        if job.status in ("failed", "interrupted"):
            _say(f"job {job.number} ({job.name}) {job.status}: {job.cause}")


def _import_for_the_answer() -> None:
    for module in ("nnlab.leaderboard.answer", "scipy.special"):
        importlib.import_module(module)


def _answer(ledger: Ledger) -> None:
    """Write and print the leaderboard: which setting is the best, how sure that is."""
    from nnlab.leaderboard.answer import answer
    from nnlab.report.past_runs import past_runs

    runs = past_runs(ledger.folder)
    try:
        answer(runs, ledger.folder, screen(), None)
    except UserError as error:  # models that measure nothing in common
        _say(str(error))


def _say(sentence: str) -> None:
    sys.stderr.write(f"nnlab: {sentence}\n")
