"""How many weights there are, and how many learn."""

from types import SimpleNamespace

import pytest
from torch import nn

from nnlab.weights import Weights


class Holds:
    """A callback that says what it freezes."""

    def frozen(self, learner: nn.Module) -> list[str]:
        return ["0.weight"]


def two_layers() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (Weights(1, 1), "1 parameter"),
        (Weights(2000, 2000), "2,000 parameters"),
        (Weights(2003, 2000), "2,003 parameters, 2,000 of them learn"),
        (Weights(5, 1), "5 parameters, 1 of them learns"),
    ],
)
def test_what_learns_is_said_where_not_all_does(weights, said):
    assert str(weights) == said


def test_what_a_model_or_a_callback_freezes_is_not_counted_as_learning():
    model = two_layers()
    assert Weights.of(model, []) == Weights(11, 11)
    stranger = SimpleNamespace(frozen=True)
    assert Weights.of(model, [stranger, Holds()]) == Weights(11, 5)
    model[0].requires_grad_(False)
    assert Weights.of(model, [Holds()]) == Weights(11, 3)
