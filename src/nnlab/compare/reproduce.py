"""The verb `reproduce`: experiments are run and set beside what was published.

The table is kept in a file: what is run now replaces its own rows, the others stay.
`--check` changes nothing and says where a result is no longer what is written there.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from nnlab.compare.published import Row, as_markdown, as_table, rows_in
from nnlab.compose import Composer, plain
from nnlab.errors import UserError, did_you_mean
from nnlab.folder import write
from nnlab.home import conf_folder
from nnlab.past.asked import asked, check_known
from nnlab.report.past_runs import past_runs
from nnlab.report.run_reading import RunReading
from nnlab.screen import screen
from nnlab.sweep import sweep

OURS = ("run", "seed", "to", "output_dir", "tolerance")
# Settings that change nothing of what comes out.
HARMLESS = (
    *("experiment", "seed", "folder", "output_dir", "pictures", "logger", "threads"),
    *("checkpoint_seconds", "sweep", "hydra"),
)
SEED = "1,2,3"
TOLERANCE = 0.05  # of the written value: other machines round otherwise


@dataclass(frozen=True)
class Asked:
    """What `reproduce` was asked for."""

    names: list[str]
    is_check: bool
    given: dict[str, Any]
    rest: list[str]  # words for the sweep


def reproduce(words: Sequence[str]) -> int:
    """Run experiments that have a reference, and write published / target / reached.

    `reproduce [NAME ...] [seed=1,2,3] [run='outputs/**'] [to=docs/reproduced.md]
    [--check] [sweep.workers=1]`; without names all that can run here. `run=` takes runs
    already made instead of making them.

    Returns 0, or 1 where a run failed, or `--check` found another result.

    Raises:
        UserError: where an experiment is unknown, or nothing was found.
    """
    question = _read(words)
    file = Path(str(question.given.get("to", "docs/reproduced.md")))
    status, runs = 0, _runs_asked_for(question)
    if runs is None:
        status, runs = _made(question)
    found = rows_of(runs, question.names)
    if not found:
        raise UserError(
            f"no complete run of {', '.join(question.names)} with its own settings was "
            "found"
        )
    console = screen()
    console.print(as_table(found))
    written = rows_in(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if question.is_check:
        tolerance = float(question.given.get("tolerance", TOLERANCE))
        return max(status, _checked(found, written, tolerance, file))
    file.parent.mkdir(parents=True, exist_ok=True)
    write(file, as_markdown({**written, **found}))
    console.print(f"written to {file}", soft_wrap=True)
    return status


def _read(words: Sequence[str]) -> Asked:
    names = [word for word in words if "=" not in word and not word.startswith("-")]
    flags = {word for word in words if word.startswith("--")}
    for flag in flags - {"--check"}:
        raise UserError(f"reproduce has --check, not {flag}")
    settings = [word for word in words if "=" in word]
    rest = [word for word in settings if word.startswith("sweep.")]
    given = asked([word for word in settings if word not in rest])
    check_known("reproduce", given, OURS)
    known = referenced()
    for name in names:
        if name not in known:
            raise UserError(
                f"no experiment with a reference is called {name!r}"
                f"{did_you_mean(name, known)}"
            )
    if not names and "run" not in given:
        known = _possible_here(known)
    return Asked(names or known, "--check" in flags, given, rest)


def _possible_here(names: Sequence[str]) -> list[str]:
    """Return the experiments whose hardware is here; say which are left out."""
    from nnlab.hardware import check_hardware  # here: names, or runs, need no torch

    composer, possible = Composer(), list[str]()
    for name in names:
        config = plain(composer.compose([f"experiment={name}"]))
        try:
            check_hardware(config["trainer"])
            possible.append(name)
        except UserError as error:
            sys.stderr.write(f"nnlab: experiment={name} is left out: {error}\n")
    return possible


def referenced() -> list[str]:
    """Return the names of the experiments that have a published result to reach."""
    composer, found = Composer(), list[str]()
    for file in sorted((conf_folder() / "experiment").glob("*.yaml")):
        config = plain(composer.compose([f"experiment={file.stem}"]))
        if config.get("reference"):
            found.append(file.stem)
    return found


def _runs_asked_for(question: Asked) -> list[RunReading] | None:
    if "run" not in question.given:
        return None
    from nnlab.compare.command import found_runs

    return found_runs(question.given["run"])


def _made(question: Asked) -> tuple[int, list[RunReading]]:
    """Run the experiments as a sweep that the same command continues."""
    seed = question.given.get("seed", SEED)
    seeds = ",".join(map(str, seed)) if isinstance(seed, list) else str(seed)
    place = Path(str(question.given.get("output_dir", "outputs")))
    words = [f"experiment={','.join(question.names)}", f"seed={seeds}"]
    words += ["sweep.name=reproduce", f"output_dir={place}", *question.rest]
    status = sweep(words, Composer())
    return status, past_runs(place / "sweep/reproduce")


def rows_of(runs: Sequence[RunReading], names: Sequence[str]) -> dict[str, Row]:
    """Return a row for each experiment that has complete runs of its own settings."""
    found: dict[str, Row] = {}
    for name in names:
        mine = {
            int(run.config["seed"]): run
            for run in reversed(runs)  # of a seed run twice the newest stays
            if run.result.get("experiment") == name
            and run.status == "complete"
            and _is_plain(run)
        }
        if mine:
            found[name] = _row(name, dict(sorted(mine.items())))
    return found


def _is_plain(run: RunReading) -> bool:
    keys = [w.lstrip("+~").partition("=")[0].split(".")[0] for w in run.overrides]
    return all(key in HARMLESS for key in keys)


def _row(name: str, mine: Mapping[int, RunReading]) -> Row:
    reference = next(iter(mine.values())).config["reference"]
    metric, more = reference["metric"], reference["better"] == "higher"
    values = {seed: float(run.metrics[metric] or 0) for seed, run in mine.items()}
    middle = median(values.values())
    seconds = median(float(run.result["seconds"]) for run in mine.values())
    computed = [run.result.get("processor_seconds") for run in mine.values()]
    known = [float(each) for each in computed if each is not None]
    target = reference["target"]
    return Row(
        experiment=name,
        metric=metric,
        published=reference["published"],
        target=target,
        more=more,
        values=values,
        seconds=seconds,
        met=middle >= target if more else middle <= target,
        processor_seconds=median(known) if known else None,
    )


def _checked(
    found: Mapping[str, Row], written: Mapping[str, Row], tolerance: float, file: Path
) -> int:
    """Say where a result is another than is written; return 1 where one is."""
    status = 0
    for name, row in found.items():
        before = written.get(name)
        if before is None:
            complaint = f"{file} has no row of it"
        elif before.met and not row.met:
            complaint = f"the target was met, and is not: {row.reached:.6g}"
        elif abs(row.reached - before.reached) > tolerance * abs(before.reached):
            complaint = f"{before.reached:.6g} is written, {row.reached:.6g} came out"
        else:
            continue
        sys.stderr.write(f"nnlab: {name}: {complaint}\n")
        status = 1
    return status
