"""Hydra's sweeper for a search: `sweep=optuna` chooses it."""

import importlib.util
from collections.abc import Sequence
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig
from typing_extensions import override

from nnlab.compose import Composer, plain
from nnlab.errors import UserError
from nnlab.overrides import checked, parse
from nnlab.screen import screen
from nnlab.sweep.launcher import LocalLauncher
from nnlab.sweep.pool import Pool
from nnlab.sweep.sample import sample_jobs
from nnlab.sweep.search.options import HINTS, SearchOptions
from nnlab.sweep.search.space import space_of


def check_words(words: Sequence[str]) -> None:
    """Refuse what only a search has, where none is asked for.

    Raises:
        UserError: naming it.
    """
    if "sweep=optuna" in words:
        return
    for word in words:
        room, _, name = word.partition("=")[0].partition(".")
        if room == "sweep" and name in (*HINTS, "metric", "direction"):
            raise UserError(f"{word} is for a search; add sweep=optuna")


def plan_search(
    words: Sequence[str], config: dict[str, Any], composer: Composer
) -> Any:
    """Return the `Plan` of a command that searches; None of one that does not.

    Args:
        words: of the command.
        config: of one of its jobs.
        composer: composes the others.

    Raises:
        UserError: where what is asked for cannot be searched.
    """
    section = config["sweep"]
    if "sampler" not in section:
        return None
    if importlib.util.find_spec("optuna") is None:
        raise UserError(
            "sweep=optuna needs Optuna; install it: pip install 'nnlab[optuna]'"
        )
    from nnlab.sweep.search.metric_check import check_metrics
    from nnlab.sweep.search.search import Plan
    from nnlab.sweep.search.study import check_space

    options = SearchOptions.of(section, config["monitor"])
    if section["retry"]:
        raise UserError(
            "sweep.retry=failed is for a grid: a failed trial has told the search "
            "something; sweep.trials= adds more"
        )
    parsed = parse(words, composer.loader)
    both = zip(parsed, words, strict=True)
    fixed = [word for each, word in both if not each.is_sweep_override()]
    base = plain(composer.compose(checked(fixed, composer)))
    space = space_of(words, composer.loader, base)
    check_space(space, options)
    jobs = (checked(job, composer) for job in sample_jobs(words, composer))
    configs = (plain(composer.compose(job)) for job in jobs)
    check_metrics(configs, options.metrics, composer.plugins)
    return Plan(space, options)


def pool_type(plan: Any) -> type[Pool]:
    """Return the kind of pool that runs this plan's jobs; without one, a grid's."""
    if plan is None:
        return Pool
    from nnlab.sweep.search.pool import SearchPool

    return SearchPool


def show_search(pool: Pool) -> None:
    """Print what a search has found, and draw it."""
    from nnlab.sweep.search.pool import SearchPool
    from nnlab.sweep.search.report import report_search

    if isinstance(pool, SearchPool) and pool.search is not None:
        report_search(pool.search, screen())


class OptunaSweeper(Sweeper):
    """Has the launcher run what Optuna proposes.

    Args:
        pool: this sweep's.
        plan: what is searched.
    """

    def __init__(self, *, pool: Pool, plan: Any) -> None:
        super().__init__()
        self.pool, self.plan = pool, plan

    @override
    def setup(
        self,
        *,
        hydra_context: HydraContext,
        task_function: TaskFunction,
        config: DictConfig,
    ) -> None:
        self.config, self.hydra_context = config, hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context, task_function, config
        )

    @override
    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        from nnlab.sweep.search.pool import SearchPool
        from nnlab.sweep.search.search import Search

        if not isinstance(self.pool, SearchPool):
            raise UserError("hydra/sweeper=optuna alone says too little; sweep=optuna")
        if not isinstance(self.launcher, LocalLauncher):
            raise UserError(
                "sweep=optuna asks for a trial when a worker is free, which other "
                "launchers do not tell; use hydra/launcher=local, submitit_slurm or ray"
            )
        self.pool.search = Search(self.plan, self.pool.ledger)
        return [self.launcher.launch([], initial_job_idx=0)]
