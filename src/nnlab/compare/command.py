"""The verb `compare`: runs already made, or made now under one budget."""

import glob
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nnlab.compare.budget import Budget, first_job, fitted
from nnlab.compose import Composer, plain
from nnlab.errors import UserError, as_typed
from nnlab.leaderboard.answer import answer
from nnlab.overrides import checked, with_places_quoted
from nnlab.past.asked import asked, check_known
from nnlab.report.commands import override_value, seen_from_here
from nnlab.report.past_runs import past_runs
from nnlab.report.run_reading import RunReading
from nnlab.screen import screen
from nnlab.sweep import sweep

SEEDS = 3


def compare(words: Sequence[str]) -> int:
    """Compare runs; return 0, or 1 where one that was made for it failed.

    Raises:
        UserError: where there is nothing to compare.
    """
    console = screen()
    given = asked(words)
    metric = given.get("metric")
    folder = Path(str(given.get("to") or _new_folder(given)))
    if "run" in given:
        check_known("compare", given, ["run", "metric", "to"])
        answer(found_runs(given["run"]), folder, console, metric)
        return 0
    status = _made(words, given, folder)
    try:
        answer(past_runs(folder), folder, console, metric)
    except UserError as error:  # by which only what was measured can be known
        again = f"nnlab compare run={override_value(seen_from_here(folder))}"
        raise UserError(f"{error} (the runs are kept: {again})") from error
    return status


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


def _made(words: Sequence[str], given: Mapping[str, Any], folder: Path) -> int:
    """Make the runs, a sweep for each model; return 0, or 1 where one failed."""
    ours = {"metric", "to", "seeds", "output_dir", "model"}
    kept = [
        word
        for word in with_places_quoted(words)
        if (key := word.lstrip("+").partition("=")[0]) not in ours
        and not key.startswith("budget.")
    ]
    seeds = _seeds(given)
    if "model" not in given and "experiment" not in given:
        raise UserError(
            "compare needs run=<folders>, or models to make runs of: model=mlp,lenet5"
        )
    if "seed" in given and "seeds" in given:
        raise UserError("seed= names the seeds, and seeds= counts them; keep one")
    budget = Budget.of(given)
    kept += budget.words
    if budget.seconds is not None and "sweep.workers" not in given:
        kept.append("sweep.workers=1")  # beside another a run does less in its seconds
    if "pictures" not in given:
        kept.append("pictures=0")  # while training, whose time is compared
    if not any(word.startswith("seed=") for word in kept):
        kept.append(f"seed={','.join(str(seed) for seed in seeds)}")
    composer = Composer()
    models = given.get("model", [None])
    status = 0
    plans: list[list[str]] = []
    for model in models if isinstance(models, list) else [models]:
        chosen = [] if model is None else [f"model={model}"]
        plans.append([*chosen, *kept])
    if "data" not in given:
        _check_same_data(plans, composer)
    # All are fitted before the first is trained: a mistake costs no run.
    plans = [[*plan, *fitted(plan, budget, composer)] for plan in plans]
    for plan in plans:
        name = plan[0].partition("=")[2] if "model" in given else "runs"
        place = [f"output_dir={folder}", f"sweep.name={name}"]
        status = max(status, sweep([*plan, *with_places_quoted(place)], composer))
    return status


def _check_same_data(plans: Sequence[Sequence[str]], composer: Composer) -> None:
    """Check that models which bring their own data bring the same.

    Raises:
        UserError: naming what each would be tested on.
    """
    configs = [plain(composer.compose(checked(first_job(p), composer))) for p in plans]
    chosen = [config["choices"] for config in configs]
    if len({each["data"] for each in chosen}) > 1:
        said = ", ".join(f"model={c['model']} on data={c['data']}" for c in chosen)
        raise UserError(f"compare needs one data= for all; these differ: {said}")


def _seeds(given: Mapping[str, Any]) -> range:
    count = given.get("seeds", SEEDS)
    if isinstance(count, list) and all(isinstance(seed, int) for seed in count):
        named = ",".join(map(str, count))
        raise UserError(
            f"seeds={named} must be a number, which counts them; did you mean "
            f"seed={named}?"
        )
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise UserError(
            f"seeds={as_typed(count)} must be a number from 1; seed=4,7 names them one "
            "by one"
        )
    return range(1, count + 1)
