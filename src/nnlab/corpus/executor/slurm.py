"""Slurm: the tasks as an array of jobs, through submitit."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from nnlab.corpus.executor.failure import explained
from nnlab.corpus.worker import Done, Task, perform
from nnlab.errors import RunFailed, UserError
from nnlab.limits import Count

ARRAY_MOST = 1_000  # tasks of one array: what Slurm allows unless told otherwise
SECONDS_BETWEEN_LOOKS = 2.0


class Slurm:
    """A task is one job of an array, on one core; all nodes must see data.folder.

    Args:
        cluster: slurm; or local, which has submitit run the jobs here, to try it.
        partition, account: Slurm's own; None: the default ones.
        workers: jobs at the same time, at most.
        minutes: for one job, at most.
        memory_gb: for one job.
        logs: folder for submitit's files.
    """

    def __init__(
        self,
        *,
        cluster: Literal["slurm", "local"],
        partition: str | None,
        account: str | None,
        workers: Count,
        minutes: Count,
        memory_gb: Count,
        logs: str,
    ) -> None:
        submitit = _library()
        if cluster == "slurm" and shutil.which("sbatch") is None:
            raise UserError(
                "executor=slurm needs sbatch, and there is none on this machine; run "
                "on a cluster's login node, or try executor=local"
            )
        self._jobs: dict[Any, Task] = {}
        self._waiting: list[Task] = []
        self._slurm = submitit.AutoExecutor(folder=Path(logs) / "%j", cluster=cluster)
        self._slurm.update_parameters(
            timeout_min=minutes, cpus_per_task=1, name="nnlab"
        )
        self._slurm.update_parameters(mem_gb=memory_gb)
        if cluster == "slurm":
            own = {"slurm_partition": partition, "slurm_account": account}
            given = {name: value for name, value in own.items() if value is not None}
            self._slurm.update_parameters(slurm_array_parallelism=workers, **given)

    def submit(self, task: Task) -> None:
        self._waiting.append(task)

    def finished(self, seconds: float) -> Iterator[Done]:
        while self._waiting:
            tasks, self._waiting = (
                self._waiting[:ARRAY_MOST],
                self._waiting[ARRAY_MOST:],
            )
            jobs = self._slurm.map_array(perform, tasks)
            self._jobs.update(zip(jobs, tasks, strict=True))
        ends = time.monotonic() + seconds
        while not (done := [job for job in self._jobs if job.done()]):
            if time.monotonic() >= ends or not self._jobs:
                return
            time.sleep(min(SECONDS_BETWEEN_LOOKS, seconds))
        for job in done:
            task = self._jobs.pop(job)
            error = job.exception()
            if error is not None:
                raise _failure(task, job, error) from error
            yield job.result()

    def close(self) -> None:
        for job in self._jobs:
            job.cancel()


def _failure(task: Task, job: Any, error: BaseException) -> RunFailed | UserError:
    if type(error).__name__ in ("FailedJobError", "UncompletedJobError"):
        return RunFailed(
            f"job {job.job_id} failed at stage {task.stage}: {job.paths.stderr} tells "
            "why; the same command goes on"
        )
    return explained(task, error)


def _library() -> Any:
    try:
        import submitit
    except ImportError as cause:
        raise UserError(
            "executor=slurm needs submitit; install it: pip install 'nnlab[slurm]'"
        ) from cause
    return submitit
