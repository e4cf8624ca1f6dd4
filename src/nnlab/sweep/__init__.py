"""Sweeps: many runs of one command, side by side, continued after a kill.

A sweep's folder, `outputs/sweep/<name or time>/`, holds

    sweep.json       the ledger, see below; replaced whole, never half written
    <job's folder>/  a run's folder each, as `nnlab.folder` and `nnlab.run` make it
    logs/<job's folder>.txt   what the job printed, one attempt after the other

`sweep.json` is one object:

    name       the sweep's name: the folder's
    command    the words of the command, without sweep.*; secrets masked
    status     running, complete, failed (at least one job did), interrupted. A sweep
               that says running while nobody holds its folder's lock was killed
    jobs       {hash: job} in the order of the command. The hash (SHA-256, 16 digits) is
               of the job's overrides, whatever their order: the same job, the same hash

A job:

    number     counted from 0, its place in the command, and never changed
    name       the overrides in which it differs from the sweep's other jobs
    overrides  all its overrides, without sweep.*; secrets masked
    folder     its run's folder, within the sweep's. Its result.json and config.yaml say
               the rest: parameters, steps, seconds of training, the resolved config
    status     waiting, running, complete, failed, interrupted (stopped or killed from
               outside: the same command continues it)
    cause      why it is failed or interrupted, in one sentence; else null
    attempts   how often it was started
    seconds    of the job's processes, all attempts: training, and all around it;
               of one that was killed with the sweep, until it last wrote something
    metrics    those of its result.json: {"test/accuracy": 0.98, ...}; {} where none

`Ledger.read(folder)` returns it to whoever compares.

Nothing heavy is imported here: `nnlab.sweep.server` begins as a bare process.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

    from nnlab.compose import Composer
    from nnlab.sweep.job_server import JobServer


def preview(arguments: "Namespace", composer: "Composer") -> bool:
    """Answer what Hydra's flags ask of a sweep; return whether they ask anything."""
    from nnlab.sweep.preview import preview as answer

    return answer(arguments, composer)


def sweep(
    overrides: list[str],
    composer: "Composer",
    server: "JobServer | None" = None,
    *,
    is_part: bool = False,
) -> int:
    """Run every job of a sweep; return 0, 1 where one failed, 130 after Ctrl-C.

    Args:
        overrides: of the sweep.
        composer: for its config.
        server: one that was begun ahead.
        is_part: of something larger, which says itself what came out of it.

    Raises:
        UserError: before anything is written.
    """
    from nnlab.sweep.command import run_sweep

    return run_sweep(overrides, composer, server, is_part=is_part)
