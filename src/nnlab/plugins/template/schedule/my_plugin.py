"""A learning rate that falls in a straight line, to `end` of itself."""

from torch.optim import Optimizer
from typing_extensions import override

from nnlab.limits import Share
from nnlab.schedule.schedule import Schedule


class MyPlugin(Schedule):
    """Multiplies the rate by 1 at first and by `end` after the last step."""

    def __init__(self, optimizer: Optimizer, steps: int, *, end: Share) -> None:
        self.end = end
        super().__init__(optimizer, steps)

    @override
    def factor(self, step: int) -> float:
        done = min(step / self.steps, 1.0)
        return 1 - done * (1 - self.end)
