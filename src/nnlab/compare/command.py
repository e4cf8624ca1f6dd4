"""The verb `compare`: runs already made, or made now under one budget."""

import glob
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from nnlab.compare.budget import Budget
from nnlab.compare.making import make_runs
from nnlab.errors import UserError
from nnlab.leaderboard.answer import answer
from nnlab.past.asked import asked, check_known
from nnlab.report.commands import override_value, seen_from_here
from nnlab.report.mask import masked_override
from nnlab.report.past_runs import past_runs
from nnlab.report.run_reading import RunReading
from nnlab.screen import screen


def compare(words: Sequence[str]) -> int:
    """Compare runs; return 0, 1 where one that was made failed, 130 after Ctrl-C.

    Raises:
        UserError: where there is nothing to compare.
    """
    console = screen()
    given = asked(words)
    metric = given.get("metric")
    folder = Path(str(given.get("to") or _new_folder(given)))
    command = shlex.join(["nnlab", "compare", *map(masked_override, words)])
    if "run" in given:
        check_known("compare", given, ["run", "metric", "to"])
        runs = found_runs(given["run"])
        answer(runs, folder, console, metric, facts={"command": command})
        return 0
    status = make_runs(words, given, folder, console)
    facts = {"command": command, "budget": Budget.of(given).said}
    if status <= 1:  # else it was stopped, and half of a comparison answers nothing
        _answer_made(folder, console, metric, facts)
    if status:
        place = override_value(seen_from_here(folder))
        sys.stderr.write(
            f"nnlab: the same command with to={place} goes on with what is missing, "
            "with sweep.retry=failed also with what failed\n"
        )
    return status


def _answer_made(
    folder: Path, console: Console, metric: str | None, facts: Mapping[str, str]
) -> None:
    try:
        answer(past_runs(folder), folder, console, metric, facts=facts)
    except UserError as error:  # by which only what was measured can be known
        again = f"nnlab compare run={override_value(seen_from_here(folder))}"
        raise UserError(f"{error} (the runs are kept: {again})") from error


def _new_folder(given: Mapping[str, Any]) -> Path:
    time = datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")
    return Path(str(given.get("output_dir", "outputs"))) / "compare" / time


def found_runs(places: Any) -> list[RunReading]:
    """Return the runs in folders, or below them, that patterns name; newest first.

    Raises:
        UserError: where one of them holds no run.
    """
    found: dict[Path, RunReading] = {}
    for place in places if isinstance(places, list) else [places]:
        pattern = str(Path(str(place)).expanduser())
        paths = glob.glob(pattern, recursive=True)  # noqa: PTH207  # any place, not one
        runs = {r.path.resolve(): r for p in paths for r in past_runs(Path(p))}
        if not runs:
            raise UserError(f"run={place} is no run's folder, nor has one below it")
        found |= runs
    return sorted(found.values(), key=lambda run: -_written(run))


def _written(run: RunReading) -> float:
    return (run.path / "config.yaml").stat().st_mtime
