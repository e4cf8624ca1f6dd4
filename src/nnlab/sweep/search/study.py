"""Optuna's study of a sweep, its samplers and pruners; the one door to Optuna.

Akiba et al. (2019), "Optuna: A Next-generation Hyperparameter Optimization Framework",
KDD. https://doi.org/10.1145/3292500.3330701
"""

import random
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.importance import get_param_importances
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from nnlab.errors import UserError
from nnlab.sweep.search.dimension import Dimension, Value
from nnlab.sweep.search.options import SearchOptions
from nnlab.sweep.search.space import Space

__all__ = ["CategoricalDistribution", "FrozenTrial", "Study", "Trial", "TrialState"]
FILE = "study.db"
LEAST_TRIALS = 4  # before a share says anything
KEPT = "metrics"  # what the study was begun for


def open_study(folder: Path, options: SearchOptions) -> Study:
    """Begin the study of a sweep's folder, or go on with it.

    Raises:
        UserError: where it was begun for something else.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    url = f"sqlite:///{folder.absolute() / FILE}"
    study = optuna.create_study(
        storage=RDBStorage(url, engine_kwargs={"connect_args": {"timeout": 60}}),
        study_name=folder.name,
        directions=None if _is_there(url, folder.name) else [*options.directions],
        sampler=RandomSampler(),
        pruner=make_pruner(options),
        load_if_exists=True,
    )
    asked = [[*options.metrics], [*options.directions]]
    begun = study.user_attrs.get(KEPT)
    if begun is None:
        study.set_user_attr(KEPT, asked)
    elif begun != asked:
        raise UserError(
            f"sweep.name={folder.name} searches for {_said(*begun)}, and not for "
            f"{_said(*asked)}; take another sweep.name"
        )
    return study


def _is_there(url: str, name: str) -> bool:
    return name in optuna.get_all_study_names(url)


def _said(metrics: Sequence[str], directions: Sequence[str]) -> str:
    pairs = zip(metrics, directions, strict=True)
    return ", ".join(f"{metric} ({direction})" for metric, direction in pairs)


def make_sampler(options: SearchOptions, number: int) -> BaseSampler:
    """Return the sampler of one trial: what it draws is f(seed, number, study)."""
    seed = random.Random(f"{options.seed} {number}").randrange(2**32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        match options.sampler:
            case "tpe":
                return TPESampler(n_startup_trials=options.startup, seed=seed)
            case "cmaes":
                return CmaEsSampler(
                    n_startup_trials=max(1, options.startup),
                    seed=seed,
                    warn_independent_sampling=False,
                )
            case _:  # of a grid the points are enqueued
                return RandomSampler(seed=seed)


def make_pruner(options: SearchOptions) -> BasePruner:
    """Return what says whether a trial goes on; its steps are validations, from 1."""
    match options.pruner:
        case "median":
            return MedianPruner(options.startup, n_warmup_steps=options.warmup)
        case "hyperband":
            return HyperbandPruner(min_resource=max(1, options.warmup))
        case _:
            return NopPruner()


def check_space(space: Space, options: SearchOptions) -> None:
    """Refuse a sampler that cannot search this space.

    Raises:
        UserError: naming what it cannot take.
    """
    if options.sampler == "grid":
        space.grid()
    if options.sampler != "cmaes":
        return
    for dimension in space.dimensions:
        if dimension.words is not None:
            raise UserError(
                f"sweep.sampler=cmaes searches intervals, and {dimension.name} is a "
                "choice; use sweep.sampler=tpe"
            )
    if len(space.dimensions) == 1:
        raise UserError(
            f"sweep.sampler=cmaes wants two intervals, and there is only "
            f"{space.dimensions[0].name}; use sweep.sampler=tpe"
        )


def suggest_all(trial: Trial, dimensions: Sequence[Dimension]) -> dict[str, Value]:
    """Return a trial's values; of one that was killed, what it had already."""
    return {dimension.name: dimension.suggest(trial) for dimension in dimensions}


def importances(study: Study) -> list[dict[str, float]]:
    """Return each parameter's share in what makes trials differ, for each metric.

    By PED-ANOVA: Watanabe et al. (2023), arXiv:2304.10255. Equal shares where the
    trials are too few, or no different.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    names = list(complete[0].params)
    found: list[dict[str, float]] = []
    for index, direction in enumerate(study.directions):
        sign = 1 if direction == StudyDirection.MINIMIZE else -1  # low is good, for it
        target = partial(_value, index=index, sign=sign)
        weights: dict[str, float] = {}
        enough = len(complete) >= LEAST_TRIALS and len(names) > 1
        if enough and len({target(trial) for trial in complete}) > 1:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # which says just that
                weights = get_param_importances(study, target=target)
        found.append({name: weights.get(name, 1 / len(names)) for name in names})
    return found


def _value(trial: FrozenTrial, index: int, sign: int) -> float:
    return sign * trial.values[index]
