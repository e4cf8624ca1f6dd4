"""Every combination of a command's values, as Hydra's own sweeper makes them.

Hydra's composes each job before the first starts, a tenth of a second each, and leaves
a file with the command's secrets; here a few stand for all (`nnlab.sweep.sample`).
"""

from collections.abc import Sequence
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig
from typing_extensions import override

from nnlab.compose import Composer, grid
from nnlab.errors import UserError
from nnlab.overrides import parse

NO_VALUES = (
    "an interval is for a search: add sweep=optuna, or give values: 0.1,0.01,0.001"
)


def grid_jobs(words: Sequence[str], composer: Composer) -> list[list[str]]:
    """Return each job's words.

    Raises:
        UserError: where there are no values but an interval.
    """
    jobs = grid(parse(words, composer.loader))
    if jobs is None:
        raise UserError(NO_VALUES)
    return jobs


class GridSweeper(Sweeper):
    """Hands all jobs of a grid to the launcher.

    Args:
        params: values by key besides those of the command line.
    """

    def __init__(self, *, params: dict[str, Any]) -> None:
        super().__init__()
        self.params = params

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
        words = [f"{key}={value}" for key, value in self.params.items()] + arguments
        loader = self.hydra_context.config_loader if self.hydra_context else None
        jobs = grid(parse(words, loader))
        if jobs is None:
            raise UserError(NO_VALUES)
        assert self.launcher is not None
        returned = self.launcher.launch(jobs, initial_job_idx=0)
        for job in returned:
            _ = job.return_value  # raises what another launcher's job has raised
        return [returned]
