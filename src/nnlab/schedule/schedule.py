"""Schedule: the one base class of every schedule."""

from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


class Schedule(LRScheduler):
    """Multiplies each group's learning rate by a factor after every optimizer step.

    A schedule answers one question: `factor(step)`. A checkpoint holds only how many
    steps were taken; rates and length come from the configuration. So a run continued
    as it was gets the same rates to the bit, and one continued with more epochs, or
    another `optimizer.lr`, goes on along the curve of the new length at once.

    Attributes:
        steps: of the whole run; a curve that ends stays at its end.
    """

    def __init__(self, optimizer: Optimizer, steps: int) -> None:
        self.steps = max(1, steps)
        super().__init__(optimizer)

    def factor(self, step: int) -> float:
        """Return what the rate is multiplied by, after `step` steps (0 at first)."""
        raise NotImplementedError

    def get_lr(self) -> list[Any]:
        factor = self.factor(self.last_epoch)  # torch's word: here, steps taken
        return [rate * factor for rate in self.base_lrs]

    def step(self, epoch: int | None = None) -> None:
        """Count a step, and set the rates of the next one."""
        groups = self.optimizer.param_groups
        is_plain = all(type(group["lr"]) is float for group in groups)
        if not is_plain or epoch is not None or self._step_count < 2:
            # a rate in a tensor; torch's first look at who stepped before whom
            super().step(epoch)
            return
        self._step_count += 1
        self.last_epoch += 1
        self._last_lr = self.get_lr()
        for group, rate in zip(groups, self._last_lr, strict=True):
            group["lr"] = rate

    def state_dict(self) -> dict[str, Any]:
        """Return the number of steps taken."""
        return {"step": self.last_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on after that step; sets the rates, whatever the optimizer loaded."""
        self.last_epoch = state_dict["step"] - 1
        self._initial_step()
