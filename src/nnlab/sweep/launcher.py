"""Hydra's launcher for this machine: hands a sweep's jobs to the pool."""

from collections.abc import Sequence
from dataclasses import asdict

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig
from typing_extensions import override

from nnlab.sweep.job import Job
from nnlab.sweep.pool import Pool


class LocalLauncher(Launcher):
    """Runs a sweep's jobs on this machine, each in a process of its own.

    Args:
        pool: this sweep's; `nnlab.compose` hands it over, for a YAML cannot.
    """

    def __init__(self, *, pool: Pool) -> None:
        super().__init__()
        self.pool = pool

    @override
    def setup(
        self,
        *,
        hydra_context: HydraContext,
        task_function: TaskFunction,
        config: DictConfig,
    ) -> None:
        pass  # the pool has all that it needs

    @override
    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        ledger, retry = self.pool.ledger, self.pool.options.retry
        jobs = ledger.enrol(job_overrides)
        self.pool.run([job for job in jobs if job.is_to_do(retry_failed=bool(retry))])
        return [_returned(job) for job in jobs]


def _returned(job: Job) -> JobReturn:
    # Complete for Hydra in any case: it would stop at the first failure, and raise.
    returned = JobReturn(overrides=job.overrides, status=JobStatus.COMPLETED)
    returned.return_value = asdict(job)
    return returned
