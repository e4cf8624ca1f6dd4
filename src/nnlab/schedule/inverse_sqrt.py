"""A learning rate that falls with the square root of the step."""

from torch.optim import Optimizer

from nnlab.limits import Count
from nnlab.schedule.schedule import Schedule


class InverseSqrt(Schedule):
    """Rises in a line to the rate itself at step `warm_up_steps`, then as 1/sqrt(t).

    Vaswani et al. 2017 (https://arxiv.org/abs/1706.03762, equation 3), where the peak
    is the optimizer's rate, not a function of the width. The run's length is not in it.
    `warm_up_steps: 1` is 1/sqrt(t) from the start.
    """

    def __init__(
        self, optimizer: Optimizer, steps: int, *, warm_up_steps: Count
    ) -> None:
        self.warm_up_steps = warm_up_steps
        super().__init__(optimizer, steps)

    def factor(self, step: int) -> float:
        t = step + 1  # the paper counts from 1
        return min(t / self.warm_up_steps, (self.warm_up_steps / t) ** 0.5)
