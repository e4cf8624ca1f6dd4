"""No engine at all: one task after the other, in this process, for a debugger."""

from collections import deque
from collections.abc import Iterator

from nnlab.corpus.executor.failure import explained
from nnlab.corpus.worker import Done, Task, perform


class Serial:
    """Does a task when it is asked for what is finished."""

    def __init__(self) -> None:
        self._waiting: deque[Task] = deque()

    def submit(self, task: Task) -> None:
        self._waiting.append(task)

    def finished(self, seconds: float) -> Iterator[Done]:
        del seconds
        if self._waiting:
            task = self._waiting.popleft()
            try:
                yield perform(task)
            except Exception as error:
                raise explained(task, error) from error

    def close(self) -> None:
        self._waiting.clear()
