import pytest
import torch
from torch import nn

from nnlab.optimizer.sgd import SGD


def test_nesterov_follows_the_recurrence_by_hand():
    weight = nn.Parameter(torch.tensor([1.0]))
    numbers = {"momentum": 0.9, "nesterov": True, "weight_decay": 0.0}
    optimizer = SGD([weight], lr=0.1, **numbers)
    velocity, expected = 0.0, 1.0
    for _ in range(5):
        gradient = 2 * expected  # of the square
        velocity = 0.9 * velocity + gradient
        expected -= 0.1 * (gradient + 0.9 * velocity)
        optimizer.zero_grad()
        weight.square().sum().backward()
        optimizer.step()
        assert weight.item() == pytest.approx(expected, rel=1e-5)


def test_nesterov_without_momentum_is_refused_with_the_remedy():
    weight = nn.Parameter(torch.zeros(1))
    with pytest.raises(ValueError, match=r"optimizer.momentum=0; try 0.9"):
        SGD([weight], lr=0.1, momentum=0, nesterov=True, weight_decay=0.0)
