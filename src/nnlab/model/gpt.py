"""GPT: each token looks back at those before it, to tell which one comes next.

Radford, Wu, Child, Luan, Amodei & Sutskever (2019), "Language Models are Unsupervised
Multitask Learners" (GPT-2), on Vaswani et al. (2017), "Attention Is All You Need",
https://arxiv.org/abs/1706.03762. It is GPT-2 to the letter with `positions: learned`,
`norm: layer`, `feed_forward: gelu`, `use_bias: true`; later ideas are choices, each
cited where it stands.

Departs from the paper: the vocabulary is padded inside to a multiple of 64, which
matrix units want.
"""

import math
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.layer.key_value_cache import KeyValueCache, LayerCache
from nnlab.layer.lora import add_lora
from nnlab.learner import Learner
from nnlab.limits import Count, Natural, NonNegative, Share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Heads = Float[Tensor, "batch heads time head_size"]
Words = Float[Tensor, "batch time width"]
SHOWN_TOKENS, SHOWN_LAYERS = 64, 6  # in the picture of attention


def position_angles(positions: int, size: int) -> Float[Tensor, "positions half"]:
    """Return an angle for each position and pair of features (Vaswani, section 3.5)."""
    speed = 10_000 ** -(torch.arange(0, size, 2) / size)
    return torch.outer(torch.arange(positions).float(), speed)


def rotate(x: Heads, angles: Float[Tensor, "time half"]) -> Heads:
    """Turn pairs of features by their position: products then tell the distance.

    Su et al. 2021, https://arxiv.org/abs/2104.09864, equation 34; the pairs are (i, i +
    half), not neighbours, as in LLaMA.
    """
    a, b = x.float().chunk(2, dim=-1)
    cosine, sine = angles.cos(), angles.sin()
    turned = torch.cat([a * cosine - b * sine, a * sine + b * cosine], dim=-1)
    return turned.type_as(x)


def looking_back(time: int, seen: int, like: Tensor) -> Bool[Tensor, "time seen"]:
    """Return which of the `seen` tokens the last `time` may see: none after itself."""
    everything = torch.ones(time, seen, dtype=torch.bool, device=like.device)
    return everything.tril(seen - time)


class SelfAttention(nn.Module):
    """Each token asks (query) all before it (key) and gathers their answers (value).

    Vaswani, section 3.2. With fewer `key_value_heads` than `heads`, groups of queries
    share keys and values (Ainslie et al. 2023, https://arxiv.org/abs/2305.13245). With
    `normalizes`, queries and keys have one length (Henry et al. 2020,
    https://arxiv.org/abs/2010.04245). An explicit one keeps its `weights` to look at.
    """

    def __init__(
        self,
        *,
        width: int,
        heads: int,
        key_value_heads: int,
        dropout: float,
        use_bias: bool,
        normalizes: bool,
        is_explicit: bool,
    ) -> None:
        super().__init__()
        self.parts = (heads, key_value_heads, key_value_heads)
        self.head_size = width // heads
        self.dropout = dropout
        self.normalizes, self.is_explicit = normalizes, is_explicit
        self.weights: Float[Tensor, "batch heads time seen"] | None = None
        self.query_key_value = nn.Linear(
            width, sum(self.parts) * self.head_size, bias=use_bias
        )
        self.output = nn.Linear(width, width, bias=use_bias)

    def forward(
        self, x: Words, angles: Tensor | None = None, past: LayerCache | None = None
    ) -> Words:
        x = self.query_key_value(x).unflatten(2, (-1, self.head_size))
        # (batch, time, heads, head_size) -> (batch, heads, time, head_size)
        query, key, value = x.transpose(1, 2).split(self.parts, dim=1)
        if self.normalizes:
            query = F.rms_norm(query, (self.head_size,)).type_as(value)
            key = F.rms_norm(key, (self.head_size,)).type_as(value)
        if angles is not None:
            query, key = rotate(query, angles), rotate(key, angles)
        if past is not None:
            key, value = past.extend(key, value)
        gather = self._explicitly if self.is_explicit else self._fused
        x = gather(query, key, value)  # (batch, heads, time, head_size)
        return self.output(x.transpose(1, 2).flatten(2))

    def _explicitly(self, query: Heads, key: Heads, value: Heads) -> Heads:
        """Compute softmax(Q K^T / sqrt(d)) V, equation 1, step by step."""
        groups = query.shape[1] // key.shape[1]
        key, value = (x.repeat_interleave(groups, dim=1) for x in (key, value))
        scores = query @ key.mT / math.sqrt(self.head_size)  # (batch, heads, time, seen)
        mask = looking_back(query.shape[2], key.shape[2], query)
        weights = scores.masked_fill(~mask, -math.inf).softmax(dim=-1)
        self.weights = weights.detach()
        return F.dropout(weights, self.dropout, self.training) @ value

    def _fused(self, query: Heads, key: Heads, value: Heads) -> Heads:
        """Compute the same without ever storing the weights."""
        time, seen = query.shape[2], key.shape[2]
        is_part = 1 < time < seen  # SDPA's own mask takes the first key for the oldest
        return F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=looking_back(time, seen, query) if is_part else None,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=time == seen,
            enable_gqa=query.shape[1] != key.shape[1],
        )


class FeedForward(nn.Module):
    """Each token thinks for itself: wider, bent, and back (Vaswani, section 3.3).

    `relu_squared`: So et al. 2021, https://arxiv.org/abs/2109.08668. `swiglu`: Shazeer
    2020, https://arxiv.org/abs/2002.05202, two thirds as wide for as many weights.
    """

    def __init__(
        self, *, width: int, kind: str, use_bias: bool, inner_multiple: int = 8
    ) -> None:
        super().__init__()
        self.kind = kind
        inner = 4 * width
        if kind == "swiglu":
            inner = math.ceil(inner * 2 / 3 / inner_multiple) * inner_multiple
        gates = 2 if kind == "swiglu" else 1
        self.expand = nn.Linear(width, gates * inner, bias=use_bias)
        self.output = nn.Linear(inner, width, bias=use_bias)

    def forward(self, x: Words) -> Words:
        x = self.expand(x)  # (batch, time, inner), twice that for a gate
        if self.kind == "gelu":
            x = F.gelu(x, approximate="tanh")
        elif self.kind == "relu_squared":
            x = x.relu().square()
        else:
            gate, x = x.chunk(2, dim=-1)
            x = F.silu(gate) * x
        return self.output(x)


class Block(nn.Module):
    """Two steps, each added to what is there; normalised before, as GPT-2 does."""

    def __init__(
        self,
        *,
        norms: tuple[nn.Module, nn.Module],
        attention: SelfAttention,
        feed_forward: FeedForward,
        dropout: float,
    ) -> None:
        super().__init__()
        self.attention_norm, self.feed_forward_norm = norms
        self.attention, self.feed_forward = attention, feed_forward
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Words, angles: Tensor | None = None, past: LayerCache | None = None
    ) -> Words:
        x = x + self.dropout(self.attention(self.attention_norm(x), angles, past))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
