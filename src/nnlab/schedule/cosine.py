"""A learning rate that falls along half a cosine, after a warm-up."""

from math import cos, pi

from torch.optim import Optimizer

from nnlab.limits import Natural, Share
from nnlab.schedule.schedule import Schedule


class Cosine(Schedule):
    """Rises in a line for `warm_up_steps`, then falls to `final_factor` at the end.

    The warm-up takes a tenth of the run at most.

    Loshchilov & Hutter 2017 (https://arxiv.org/abs/1608.03983, equation 5) without
    restarts. The warm-up starts above 0, as nanoGPT's: no step is wasted.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        steps: int,
        *,
        warm_up_steps: Natural,
        final_factor: Share,
    ) -> None:
        # A short run that only warms up learns nothing: a tenth of it is enough.
        self.warm_up_steps = min(warm_up_steps, steps // 10)
        self.final_factor = final_factor
        super().__init__(optimizer, steps)

    def factor(self, step: int) -> float:
        if step < self.warm_up_steps:
            return (step + 1) / (self.warm_up_steps + 1)
        way = (step - self.warm_up_steps) / max(1, self.steps - self.warm_up_steps)
        height = (1 + cos(pi * min(way, 1.0))) / 2
        return self.final_factor + (1 - self.final_factor) * height
