"""One learning rate to the end."""

from nnlab.schedule.schedule import Schedule


class Constant(Schedule):
    """Keeps the learning rate."""

    def factor(self, step: int) -> float:
        return 1.0
