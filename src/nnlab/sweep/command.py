"""`nnlab -m`: every job checked, then run, then one table; what failed is told.

Nothing here imports torch (but for sweep.fork=false): the server does, while jobs are
checked here, and is asked for what only torch knows.
"""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from nnlab.compose import Composer, plain
from nnlab.errors import UserError
from nnlab.overrides import checked, parse
from nnlab.screen import screen
from nnlab.settings import check_settings
from nnlab.sweep.beyond.launchers import RayLauncher, SubmititLauncher, check_launcher
from nnlab.sweep.board import Board
from nnlab.sweep.conclusion import conclude, import_for_the_answer
from nnlab.sweep.devices import Devices, gpus_here, threads_each
from nnlab.sweep.grid_sweeper import GridSweeper, grid_jobs
from nnlab.sweep.job import identity, key_of, own_words
from nnlab.sweep.job_server import JobServer
from nnlab.sweep.launcher import LocalLauncher
from nnlab.sweep.ledger import Ledger
from nnlab.sweep.options import SweepOptions
from nnlab.sweep.place import sweep_folder
from nnlab.sweep.sample import sample_jobs
from nnlab.sweep.search.sweeper import (
    OptunaSweeper,
    check_words,
    plan_search,
    pool_type,
)
from nnlab.sweep.side_by_side import check_workers, free_memory, side_by_side

ONE_RUN = ("folder", "resume")


def run_sweep(
    overrides: list[str],
    composer: Composer,
    ahead: JobServer | None = None,
    *,
    is_part: bool = False,
) -> int:
    """Run every job of a sweep; return 0, 1 where one failed, 130 after Ctrl-C.

    Args:
        overrides: of the sweep.
        composer: for its config.
        ahead: a server of forks that was begun before.
        is_part: of something larger, which says itself what came out of it.

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
        if jobs and len(jobs) > 1 and not is_part:
            import_for_the_answer()  # while the server imports torch for the jobs
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
                return conclude(pool, is_part=is_part)


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
