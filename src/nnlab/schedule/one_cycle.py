"""A learning rate that rises to its peak and falls far below its start."""

from math import cos, pi

from torch.optim import Optimizer

from nnlab.limits import Share
from nnlab.schedule.schedule import Schedule


class OneCycle(Schedule):
    """Climbs half a cosine to the rate itself at `peak_at` of the run, then down again.

    Smith & Topin 2018 (https://arxiv.org/abs/1708.07120), the curve of torch's
    OneCycleLR: the optimizer's `lr` is the peak. Momentum is left as it is.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        steps: int,
        *,
        peak_at: Share,
        initial_factor: Share,
        final_factor: Share,
    ) -> None:
        self.peak_at = peak_at
        self.initial_factor = initial_factor
        self.final_factor = final_factor
        super().__init__(optimizer, steps)

    def factor(self, step: int) -> float:
        peak = max(0.0, self.peak_at * self.steps - 1)
        if step < peak:
            return _half_cosine(self.initial_factor, 1.0, step / peak)
        fall = max(1.0, self.steps - 1 - peak)
        return _half_cosine(1.0, self.final_factor, min((step - peak) / fall, 1.0))


def _half_cosine(start: float, end: float, way: float) -> float:
    return end + (start - end) * (1 + cos(pi * way)) / 2
