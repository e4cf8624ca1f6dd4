"""The loop that one writes by hand: what nnlab's steps are measured against."""

import torch
from nnlab.ext.step_time.networks import Task
from torch import Tensor


class Loop:
    """Trains on batches drawn by index from examples in memory.

    It looks at the loss once in a turn, as one does.
    """

    def __init__(
        self, task: Task, tensors: tuple[Tensor, ...], *, batch_size: int, steps: int
    ) -> None:
        self.task, self.tensors, self.batch_size = task, tensors, batch_size
        weights = [weight for weight in task.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.Adam(weights, lr=1e-3, fused=True)
        passes = -(-steps * batch_size // len(tensors[0]))
        self.order = torch.cat([torch.randperm(len(tensors[0])) for _ in range(passes)])
        self.first = 0

    def take(self, steps: int) -> float:
        """Train for that many steps; return the last loss."""
        loss = torch.tensor(0.0)
        for _ in range(steps):
            index = self.order[self.first : self.first + self.batch_size]
            batch = self.task.batch(self.tensors, index)
            self.optimizer.zero_grad()
            loss = self.task.loss(*batch)
            loss.backward()
            self.optimizer.step()
            self.task.after_step()
            self.first += self.batch_size
            if self.first + self.batch_size > len(self.order):
                self.first = 0
        return loss.item()
