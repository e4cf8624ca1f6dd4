import torch
from torch import nn

from nnlab.layer.attention_weights import attention_weights


class Attention(nn.Module):
    def __init__(self, share: float) -> None:
        super().__init__()
        self.share, self.is_explicit = share, False
        self.weights: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.weights = None
        if self.is_explicit:
            self.weights = torch.full((len(x), 1, 2, 2), self.share)
        return x


def test_collects_each_layers_weights_and_leaves_the_switches_as_they_were():
    layers = [Attention(0.25), Attention(0.75)]
    layers[1].is_explicit = True
    weights = attention_weights(nn.Sequential(*layers), torch.zeros(3, 2).long())
    assert weights.shape == (2, 3, 1, 2, 2)
    assert weights[:, 0, 0, 0, 0].tolist() == [0.25, 0.75]
    assert [layer.is_explicit for layer in layers] == [False, True]
