"""One hidden layer, which bends the line between the classes.

The paper: authors (year), "title", where, and a link.

Departs from the paper: nothing yet.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.answer import Answer, classified
from nnlab.learner import Learner
from nnlab.limits import Count


class MyPlugin(Learner):
    """Scores a flat input for each class."""

    def __init__(self, *, input_size: Count, classes: Count, width: Count) -> None:
        super().__init__()
        self.hidden = nn.Linear(input_size, width)
        self.output = nn.Linear(width, classes)

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch classes"]:
        hidden = torch.tanh(self.hidden(x.flatten(1)))  # (batch, width)
        return self.output(hidden)

    def measure(
        self, batch: tuple[Float[Tensor, "batch ..."], Int[Tensor, " batch"]]
    ) -> dict[str, Float[Tensor, ""]]:
        x, label = batch
        scores = self(x)
        return {
            "loss": F.cross_entropy(scores, label),  # the one that is minimised
            "accuracy": (scores.argmax(dim=1) == label).float().mean(),
        }

    def predict(self, batch: tuple[Tensor, Tensor]) -> list[Answer]:
        """Name the likeliest classes: what `nnlab predict` says of examples."""
        x, label = batch
        return classified(self(x).softmax(dim=1), label, self.class_names)
