"""The runs of a comparison, made now: checked together, then a sweep for each model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from nnlab.build import Config
from nnlab.compare.budget import Budget, first_job, fitted
from nnlab.compare.metric import check_metric
from nnlab.compose import Composer, plain
from nnlab.errors import UserError, as_typed
from nnlab.overrides import checked, with_places_quoted
from nnlab.settings import check_settings
from nnlab.sweep import sweep
from nnlab.sweep.sample import sample_jobs

SEEDS = 3
OURS = {"metric", "to", "seeds", "output_dir", "model"}


def make_runs(
    words: Sequence[str], given: Mapping[str, Any], folder: Path, console: Console
) -> int:
    """Make the runs, a sweep for each model; return 0, or 1 where one failed.

    What stops a sweep, as Ctrl-C does, stops all: its status is returned.

    Raises:
        UserError: before the first run, where the comparison would come to nothing.
    """
    models = given.get("model", [None])
    models = models if isinstance(models, list) else [models]
    composer = Composer()
    kept = _kept(words, given)
    plans = [
        [*([] if model is None else [f"model={model}"]), *kept] for model in models
    ]
    if "data" not in given:
        _check_same_data(plans, composer)
    # All are fitted before the first is trained: a mistake costs no run.
    budget = Budget.of(given)
    plans = [[*plan, *fitted(plan, budget, composer)] for plan in plans]
    configs = _checked(plans, composer)
    if given.get("metric") is not None:
        check_metric(str(given["metric"]), configs, composer.plugins)
    status = 0
    for number, (model, plan) in enumerate(zip(models, plans, strict=True), start=1):
        if len(plans) > 1:
            console.print(f"model={model}, {number} of {len(plans)}", highlight=False)
        place = [f"output_dir={folder}", f"sweep.name={model or 'runs'}"]
        made = sweep([*plan, *with_places_quoted(place)], composer, is_part=True)
        status = max(status, made)
        if made > 1:
            break
    return status


def _kept(words: Sequence[str], given: Mapping[str, Any]) -> list[str]:
    """Return the words that every run gets.

    Raises:
        UserError: where they name no runs, or what cannot be.
    """
    seeds = _seeds(given)
    if "model" not in given and "experiment" not in given:
        raise UserError(
            "compare needs run=<folders>, or models to make runs of: model=mlp,lenet5"
        )
    if "seed" in given and "seeds" in given:
        raise UserError("seed= names the seeds, and seeds= counts them; keep one")
    kept = [
        word
        for word in with_places_quoted(words)
        if (key := word.lstrip("+").partition("=")[0]) not in OURS
        and not key.startswith("budget.")
    ]
    budget = Budget.of(given)
    kept += budget.words
    if budget.seconds is not None and "sweep.workers" not in given:
        kept.append("sweep.workers=1")  # beside another a run does less in its seconds
    if "pictures" not in given:
        kept.append("pictures=0")  # while training, whose time is compared
    if not any(word.startswith("seed=") for word in kept):
        kept.append(f"seed={','.join(str(seed) for seed in seeds)}")
    return kept


def _checked(plans: Sequence[Sequence[str]], composer: Composer) -> list[Config]:
    """Return the configs of some runs of each model.

    Raises:
        UserError: where any value of any run is not accepted.
    """
    configs: list[Config] = []
    for plan in plans:
        for job in sample_jobs(plan, composer):
            configs.append(plain(composer.compose(checked(job, composer))))
            check_settings(configs[-1], is_here=False)  # each sweep asks its server
    return configs


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
