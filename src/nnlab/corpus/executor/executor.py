"""Executor: three methods by which an engine does tasks, in any order."""

from collections.abc import Iterator
from typing import Protocol

from nnlab.corpus.worker import Done, Task


class Executor(Protocol):
    """Does tasks somewhere. It keeps no state: what is done, its marker says.

    An engine may do a task twice, and may die at any moment.
    """

    def submit(self, task: Task) -> None:
        """Take a task, to be done as soon as there is a worker for it."""
        ...

    def finished(self, seconds: float) -> Iterator[Done]:
        """Yield what was done since, after waiting at most so long for something.

        Raises:
            RunFailed: where a task failed, or its worker died.
        """
        ...

    def close(self) -> None:
        """Stop the workers, whatever they are at."""
        ...
