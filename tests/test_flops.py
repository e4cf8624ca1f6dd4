"""Operations of one example, against sums by hand."""

import pytest
import torch

from nnlab.flops import forward_flops

# Each weight of a matrix product, at each place it is used, is 2 operations.
BY_HAND = {
    "mlp": (2 * (784 * 64 + 64 * 10), ("model.input_size=784", "model.classes=10")),
    "lenet5": (
        2 * (784 * 25 * 6 + 100 * 150 * 16 + 400 * 120 + 120 * 84 + 84 * 10),
        ("model.classes=10",),
    ),
}


@pytest.mark.parametrize(("model", "facts"), BY_HAND.items(), ids=BY_HAND)
def test_operations_are_those_of_one_example(model, facts, build):
    wanted, words = facts
    built = build(f"model={model}", *words)
    batch = torch.rand(7, 1, 28, 28), torch.zeros(7, dtype=torch.long)
    if model == "mlp":
        batch = batch[0].flatten(1), batch[1]
    assert forward_flops(built, batch) == wanted
    assert built.training


def test_a_whole_lstm_is_counted(build):
    words = ("model.width=2", "model.height=5", "model.classes=4")
    built = build("model=recurrent", *words, "model.hidden_size=16")
    batch = torch.rand(3, 1, 5, 2), torch.zeros(3, dtype=torch.long)
    gates = 4 * 16 * (2 + 16)
    assert forward_flops(built, batch) == 2 * (5 * gates + 16 * 4)
