"""ADALINE: one linear unit, moved towards the wanted sum, not only its sign.

Widrow & Hoff (1960), "Adaptive Switching Circuits", IRE WESCON Convention Record 4,
96-104.

Departs from the paper:
- any optimizer minimises the mean over a batch, not one example at a time.
"""

from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor, nn

from nnlab.learner import Learner
from nnlab.limits import Count


class Adaline(Learner):
    """Tells two classes apart by the sign of a weighted sum."""

    def __init__(self, *, input_size: Count, classes: Literal[2]) -> None:
        super().__init__()
        self.sum = nn.Linear(input_size, classes - 1)

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, " batch"]:
        return self.sum(x).squeeze(1)

    def measure(
        self, batch: tuple[Float[Tensor, "batch inputs"], Int[Tensor, " batch"]]
    ) -> dict[str, Float[Tensor, ""]]:
        x, label = batch
        s = self(x)
        wanted = 2 * label - 1  # classes 0, 1 as -1, +1
        return {
            "loss": (wanted - s).square().mean(),
            "accuracy": ((s > 0) == (label == 1)).float().mean(),
        }
