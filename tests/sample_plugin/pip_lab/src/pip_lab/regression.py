"""Linear regression: the weighted sum with the least squared error."""

from jaxtyping import Float
from torch import Tensor, nn

from nnlab.learner import Learner
from nnlab.limits import Count


class Regression(Learner):
    """Predicts `outputs` numbers from a flat input."""

    def __init__(self, *, input_size: Count, outputs: Count) -> None:
        super().__init__()
        self.linear = nn.Linear(input_size, outputs)

    def forward(
        self, x: Float[Tensor, "batch inputs"]
    ) -> Float[Tensor, "batch outputs"]:
        return self.linear(x)

    def measure(
        self,
        batch: tuple[Float[Tensor, "batch inputs"], Float[Tensor, "batch outputs"]],
    ) -> dict[str, Float[Tensor, ""]]:
        x, y = batch
        return {"loss": (self(x) - y).square().mean()}
