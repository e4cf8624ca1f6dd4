"""A learning rate that drops at some points of the run."""

from torch.optim import Optimizer

from nnlab.limits import Positive, Share
from nnlab.schedule.schedule import Schedule


class Step(Schedule):
    """Multiplies the rate by `drop_factor` at each of `drop_at`, shares of the run.

    He et al. 2016 (https://arxiv.org/abs/1512.03385, section 4.2) divide it by 10 after
    32,000 and 48,000 of 64,000 steps: 0.5 and 0.75.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        steps: int,
        *,
        drop_at: list[Share],
        drop_factor: Positive,
    ) -> None:
        self.drop_at = drop_at
        self.drop_factor = drop_factor
        super().__init__(optimizer, steps)

    def factor(self, step: int) -> float:
        drops = sum(step >= share * self.steps for share in self.drop_at)
        return self.drop_factor**drops
