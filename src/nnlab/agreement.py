"""What all processes of a group decide together."""

import time

import torch
from torch import distributed

from nnlab.ranks import is_group

MOST_STEPS = 1000  # between two questions


class Agreement:
    """Lets all ranks of a group do the same thing after the same step.

    A signal reaches processes at different steps, and clocks differ: what one of them
    decided alone would leave the others waiting for it for ever. Asking costs a message
    a rank, so it is done every few steps, as many as take `seconds`.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._left = self._every = 1
        self._asked_at = time.monotonic()

    def ask(self, wish: int, *, now: bool = False) -> int:
        """Return the largest wish of all ranks; 0 where it is not yet time to ask.

        All ranks must call it equally often; `now` does not wait.
        """
        if not is_group():
            return wish
        self._left -= 1
        if self._left > 0 and not now:
            return 0
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        asked = torch.tensor([wish, self._steps_to_wait()], device=device)
        distributed.all_reduce(asked, op=distributed.ReduceOp.MAX)
        agreed, self._every = asked.tolist()
        self._left, self._asked_at = self._every, time.monotonic()
        return agreed

    def _steps_to_wait(self) -> int:
        waited = time.monotonic() - self._asked_at
        steps = int(self._every * self.seconds / max(waited, 1e-6))
        return max(1, min(steps, 2 * self._every, MOST_STEPS))
