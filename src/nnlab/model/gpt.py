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
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.layer.key_value_cache import KeyValueCache, LayerCache
from nnlab.layer.lora import add_lora
from nnlab.learner import Learner
from nnlab.limits import Count, Natural, Positive, Share

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


def padded(size: int, *, to: int) -> int:
    """Return the next multiple: matrix units want round sizes."""
    return math.ceil(size / to) * to


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
        self, x: Words, angles: Tensor | None, past: LayerCache | None
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
        scores = (
            query @ key.mT / math.sqrt(self.head_size)
        )  # (batch, heads, time, seen)
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

    def __init__(self, *, width: int, kind: str, use_bias: bool) -> None:
        super().__init__()
        self.kind = kind
        inner = 4 * width if kind != "swiglu" else padded(8 * width // 3, to=8)
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
        self, x: Words, angles: Tensor | None, past: LayerCache | None
    ) -> Words:
        x = x + self.dropout(self.attention(self.attention_norm(x), angles, past))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


def check_sizes(width: int, heads: int, key_value_heads: int, positions: str) -> None:
    """Raise ValueError where heads do not divide what they share."""
    if width % heads:
        fits = max(n for n in range(1, heads) if width % n == 0)
        raise ValueError(
            f"model.heads={heads} does not divide model.embedding_size={width}; "
            f"try {fits}"
        )
    if heads % key_value_heads:
        fits = max(
            n for n in range(1, heads + 1) if heads % n == 0 and n < key_value_heads
        )
        raise ValueError(
            f"model.key_value_heads={key_value_heads} does not divide "
            f"model.heads={heads}; try {fits}"
        )
    turns = width if positions == "sinusoidal" else width // heads
    if positions != "learned" and turns % 2:
        raise ValueError(
            f"model.positions={positions} turns pairs of features, and "
            f"model.embedding_size={width} with model.heads={heads} leaves {turns}; "
            "try even sizes"
        )


class GPT(Learner):
    """Scores each token of the vocabulary as the next one, after each of a text."""

    def __init__(
        self,
        *,
        vocabulary_size: Count,
        context_size: Count,
        embedding_size: Count,
        layers: Count,
        heads: Count,
        key_value_heads: Count | None,
        positions: Literal["learned", "sinusoidal", "rotary"],
        norm: Literal["layer", "rms"],
        feed_forward: Literal["gelu", "relu_squared", "swiglu"],
        attention: Literal["fused", "explicit"],
        normalizes_queries: bool,
        dropout: Share,
        use_bias: bool,
        ties_embeddings: bool,
        logit_softcap: Positive | None,
        zero_outputs: bool,
        pretrained: str | None,
        trained_blocks: Natural | None,
        lora_rank: Natural,
    ) -> None:
        super().__init__()
        key_value_heads = key_value_heads or heads
        check_sizes(embedding_size, heads, key_value_heads, positions)
        self.vocabulary_size, self.context_size = vocabulary_size, context_size
        self.positions, self.logit_softcap = positions, logit_softcap
        self.pretrained = pretrained

        width, rows = embedding_size, padded(vocabulary_size, to=64)
        self.token_embedding = nn.Embedding(rows, width)
        if positions == "learned":
            self.position_embedding = nn.Embedding(context_size, width)
        else:
            size = width if positions == "sinusoidal" else width // heads
            angles = position_angles(context_size, size)
            self.register_buffer("angles", angles, persistent=False)
        self.dropout = nn.Dropout(dropout)

        def make_norm() -> nn.Module:
            if norm == "rms":  # Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467
                return nn.RMSNorm(width, eps=1e-5)
            return nn.LayerNorm(width, eps=1e-5, bias=use_bias)

        self.blocks = nn.ModuleList(
            Block(
                norms=(make_norm(), make_norm()),
                attention=SelfAttention(
                    width=width,
                    heads=heads,
                    key_value_heads=key_value_heads,
                    dropout=dropout,
                    use_bias=use_bias,
                    normalizes=normalizes_queries,
                    is_explicit=attention == "explicit",
                ),
                feed_forward=FeedForward(
                    width=width, kind=feed_forward, use_bias=use_bias
                ),
                dropout=dropout,
            )
            for _ in range(layers)
        )
        self.final_norm = make_norm()
        self.unembedding = nn.Linear(width, rows, bias=False)
        if ties_embeddings:  # Press & Wolf 2017, https://arxiv.org/abs/1608.05859
            self.unembedding.weight = self.token_embedding.weight
        self._initialise(zero_outputs=zero_outputs)
        self._freeze(trained_blocks=trained_blocks, lora_rank=lora_rank)

    def forward(
        self, tokens: Int[Tensor, "batch time"], cache: KeyValueCache | None = None
    ) -> Float[Tensor, "batch time vocabulary"]:
        if cache is not None:
            return cache.read(tokens, self._logits)
        return self._logits(tokens, [None] * len(self.blocks))

    def _logits(
        self, tokens: Int[Tensor, "batch time"], pasts: Sequence[LayerCache | None]
    ) -> Float[Tensor, "batch time vocabulary"]:
        first = pasts[0].length if pasts[0] else 0
        end = first + tokens.shape[1]
        if end > self.context_size:
            raise ValueError(
                f"model.context_size={self.context_size} is less than the {end} tokens "
                f"of a text; try model.context_size={end}"
            )
        angles = None
        x = self.token_embedding(tokens)  # (batch, time, width)
        if self.positions == "learned":
            x = x + self.position_embedding.weight[first:end]
        elif self.positions == "sinusoidal":
            wave = self.angles[first:end]
            x = x * math.sqrt(x.shape[2]) + torch.cat([wave.sin(), wave.cos()], dim=1)
        else:
            angles = self.angles[first:end]
        x = self.dropout(x)
        for block, past in zip(self.blocks, pasts, strict=True):
            x = block(x, angles, past)
        logits = self.unembedding(self.final_norm(x))[..., : self.vocabulary_size]
        if self.logit_softcap is not None:  # Gemma 2, https://arxiv.org/abs/2408.00118
            logits = self.logit_softcap * (logits / self.logit_softcap).tanh()
        return logits

    def measure(
        self, batch: tuple[Int[Tensor, "batch time"], Int[Tensor, "batch time"]]
    ) -> dict[str, Float[Tensor, ""]]:
        tokens, targets = batch
        logits = self(tokens)
        return {"loss": F.cross_entropy(logits.flatten(0, 1), targets.flatten())}

    def new_cache(self, batch_size: int, *, stride: int | None = None) -> KeyValueCache:
        """Return an empty memory for `forward`, of texts that it reads piece by piece.

        `stride`: tokens by which a full window moves on; None is a quarter of it.
        """
        attention = self.blocks[0].attention
        return KeyValueCache(
            batch_size=batch_size,
            layers=len(self.blocks),
            heads=attention.parts[1],
            head_size=attention.head_size,
            context_size=self.context_size,
            stride=stride or max(1, self.context_size // 4),
            like=self.token_embedding.weight,
        )

    @torch.no_grad()
    def _initialise(self, *, zero_outputs: bool) -> None:
        """Draw GPT-2's first weights; what is added to the residual is smaller."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        # 2 layers of independent terms then add up to the size of one
        factor = 0 if zero_outputs else 1 / math.sqrt(2 * len(self.blocks))
        for block in self.blocks:
            block.attention.output.weight.mul_(factor)
            block.feed_forward.output.weight.mul_(factor)

    def _freeze(self, *, trained_blocks: int | None, lora_rank: int) -> None:
        """Leave only the last blocks, or changes of low rank, to be trained."""
        if trained_blocks is not None or lora_rank:
            self.requires_grad_(False)
        if trained_blocks is not None:
            last = self.blocks[len(self.blocks) - trained_blocks :]
            nn.ModuleList([*last, self.final_norm]).requires_grad_(True)
        if lora_rank:
            add_lora(self.blocks, rank=lora_rank)
