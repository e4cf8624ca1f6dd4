"""Every promise, in the order of the page; the longest to try come first."""

from functools import partial
from pathlib import Path

from reliability import everything, inputs, stops, storage, strangers, together
from reliability.groups import GROUP, kill_one_of
from reliability.kills import killed_runs
from reliability.models import MODELS, QUIET, STREAM, Model
from reliability.row import Bench, Check

KILLS = 30


def _killed(model: Model, bench: Bench, times: int) -> list[str]:
    words = (*model.words, *QUIET)
    return killed_runs(words, times, bench.folder / "runs", bench.lives, bench.draw)


def _killed_groups(bench: Bench, times: int) -> list[str]:
    folder = bench.folder / "runs"
    return killed_runs(
        GROUP, times, folder, bench.lives, bench.draw, strike=kill_one_of
    )


def _of(model: Model, kills: int) -> Check:
    return Check(
        f"{model.name}: kill -9 costs no bit", model.has, kills, partial(_killed, model)
    )


CHECKS = (
    Check(
        "wrong overrides: one sentence, no trace",
        "every key of conf/, drawn by hypothesis; to the moment a folder would be made",
        1500,
        inputs.fuzzed,
    ),
    Check(
        "every choice of conf/, plugins/: kill -9 costs no bit",
        "models, data, optimizers, schedules, regularizers, callbacks: two kills each",
        len(list(everything.cases(Path()))),
        everything.kill_all,
    ),
    *(_of(model, KILLS) for model in MODELS),
    _of(STREAM, 10),
    Check(
        "two processes: kill -9 costs no bit",
        "one of the group, or its starter; dropout, accumulation; no orphans",
        10,
        _killed_groups,
    ),
    Check(
        "bad input: one sentence, exit 2, no file",
        "names, types, ranges, pairings, folders, hardware",
        len(inputs.MISTAKES),
        inputs.bad_inputs,
    ),
    Check(
        "killed while saving: no checkpoint is damaged",
        "half in memory, half on a disk, temporary files on the other",
        60,
        storage.kills_while_saving,
    ),
    Check(
        "one bit flipped: never read as other values",
        "any bit of a run's checkpoint, as often as not in its index",
        400,
        storage.flipped_bits,
    ),
    Check(
        "no space left: the checkpoint before stays",
        "the limit anywhere in the second half of a save; exit 1, one sentence",
        5,
        storage.no_space,
    ),
    Check(
        "SIGTERM, SIGINT: saved, exit 143, 130 in 10 s",
        "one process and two; the run then continues to the same bits",
        12,
        stops.signals,
    ),
    Check(
        "SIGUSR1: saved, put into Slurm's queue again",
        "a scontrol that notes what it is asked, once",
        4,
        stops.requeued,
    ),
    Check(
        "NaN and infinity: stopped at that very step",
        "a bad batch at a random place; what is kept is the step before, finite",
        10,
        stops.bad_losses,
    ),
    Check(
        "hostile `_target_`s: refused, nothing runs",
        "in ten places of a config; Python's audit events are watched",
        35,
        strangers.hostile_targets,
    ),
    Check(
        "hostile files: nothing runs, nothing escapes",
        "code, a bomb, a target, outside names in checkpoints; plugins; an archive",
        6,
        strangers.hostile_files,
    ),
    Check(
        "eight starts at once: eight whole folders",
        "in the same moment, no folder named",
        together.AT_ONCE,
        together.starts_at_once,
    ),
    Check(
        "two in one folder: the second is refused",
        "it names the first one's process",
        3,
        together.two_in_one_folder,
    ),
    Check(
        "data prepared by two at once: whole",
        "the second is refused, or finds it done",
        3,
        together.prepared_at_once,
    ),
)
