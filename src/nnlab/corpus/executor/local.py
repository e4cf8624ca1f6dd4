"""The default engine: a pool of processes on this machine."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED as FIRST
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process

from nnlab.cores import cores_here
from nnlab.corpus.executor.failure import explained
from nnlab.corpus.worker import Done, Task, perform
from nnlab.errors import RunFailed
from nnlab.limits import Count


class Local:
    """Processes that are begun anew, not forked: they hold neither torch nor Hydra.

    Args:
        workers: how many; None: one for each core that this process may use.
    """

    def __init__(self, *, workers: Count | None) -> None:
        self._pool = ProcessPoolExecutor(
            workers or cores_here(),
            mp_context=get_context("spawn"),
            initializer=_end_with_parent,
        )
        self._futures: dict[Future[Done], Task] = {}

    def submit(self, task: Task) -> None:
        self._futures[self._pool.submit(perform, task)] = task

    def finished(self, seconds: float) -> Iterator[Done]:
        done, _ = wait(self._futures, timeout=seconds, return_when=FIRST)
        for future in done:
            task = self._futures.pop(future)
            try:
                yield future.result()
            except BrokenProcessPool as error:
                raise RunFailed(
                    f"a worker died at stage {task.stage}: killed, or out of memory "
                    "(executor.workers= takes fewer); the same command goes on"
                ) from error
            except Exception as error:  # what the task raised, in its process
                raise explained(task, error) from error

    def close(self) -> None:
        processes = list((self._pool._processes or {}).values())  # pyright: ignore
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _end_with_parent() -> None:
    """End this worker when the process that began it is gone, killed even."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
