"""Ray: the tasks as remote functions, on one machine or a cluster of them."""

from collections.abc import Iterator
from typing import Any

from nnlab.corpus.executor.failure import explained
from nnlab.corpus.worker import Done, Task, perform
from nnlab.errors import RunFailed, UserError
from nnlab.limits import Count


class Ray:
    """A task is one remote call on one core; all nodes must see data.folder.

    Args:
        address: of a cluster; None: $RAY_ADDRESS, else one is begun on this machine.
        workers: cores of one that is begun here; None: all.
    """

    def __init__(self, *, address: str | None, workers: Count | None) -> None:
        self._ray = _library()
        try:
            self._ray.init(
                address=address,
                num_cpus=None if address else workers,
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level="ERROR",
            )
        except (ConnectionError, RuntimeError, ValueError) as cause:
            said = str(cause).splitlines()[0]
            raise UserError(f"executor.address={address}: {said}") from cause
        self._perform = self._ray.remote(num_cpus=1, max_retries=0)(perform)
        self._running: dict[Any, Task] = {}

    def submit(self, task: Task) -> None:
        self._running[self._perform.remote(task)] = task

    def finished(self, seconds: float) -> Iterator[Done]:
        if not self._running:
            return
        ready, _ = self._ray.wait(list(self._running), timeout=seconds)
        for reference in ready:
            task = self._running.pop(reference)
            try:
                yield self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                raise explained(task, error.cause or error) from error
            except self._ray.exceptions.RayError as error:
                raise RunFailed(
                    f"a worker died at stage {task.stage}; the same command goes on"
                ) from error

    def close(self) -> None:
        self._ray.shutdown()


def _library() -> Any:
    try:
        import ray
    except ImportError as cause:
        raise UserError(
            "executor=ray needs Ray; install it: pip install 'nnlab[ray]'"
        ) from cause
    return ray
