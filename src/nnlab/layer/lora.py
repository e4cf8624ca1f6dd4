"""LoRA: a trained change of low rank beside each frozen matrix.

Hu et al. (2021), "LoRA: Low-Rank Adaptation of Large Language Models",
https://arxiv.org/abs/2106.09685.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

ALPHA = 16  # section 4.1: not tuned; scales the change as the rank changes


class LowRankLinear(nn.Linear):
    """W x + alpha / r B A x, where W stays as it was and B begins at zero.

    `weight` and `bias` keep their names, so that weights of the plain layer load.
    """

    def __init__(self, plain: nn.Linear, *, rank: int) -> None:
        has_bias = "bias" in plain.state_dict()
        super().__init__(
            plain.in_features, plain.out_features, bias=has_bias, device="meta"
        )
        self.weight, self.bias = plain.weight, plain.bias
        self.requires_grad_(False)
        self.a = nn.Parameter(plain.weight.new_empty(rank, plain.in_features))
        self.b = nn.Parameter(plain.weight.new_zeros(plain.out_features, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))  # as nn.Linear begins
        self.scale = ALPHA / rank

    def forward(
        self, input: Float[Tensor, "... inputs"]
    ) -> Float[Tensor, "... outputs"]:
        change = F.linear(F.linear(input, self.a), self.b)
        return super().forward(input) + self.scale * change

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Return the one plain layer that computes the same."""
        plain = nn.Linear(self.in_features, self.out_features, device="meta")
        plain.weight = nn.Parameter(self.weight + self.scale * self.b @ self.a)
        plain.bias = self.bias
        return plain


def add_lora(module: nn.Module, *, rank: int) -> None:
    """Put a change of that rank beside each linear layer inside; freeze the rest."""
    module.requires_grad_(False)
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.Linear:
                setattr(parent, name, LowRankLinear(child, rank=rank))


def merge_lora(module: nn.Module) -> None:
    """Make every layer plain again, the learned change inside its matrix."""
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, LowRankLinear):
                setattr(parent, name, child.merged())
