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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.answer import Answer, percent
from nnlab.layer.attention_mask import looking_back, places_within, within_documents
from nnlab.layer.attention_weights import attention_weights
from nnlab.layer.fine_tuning import choose_trained
from nnlab.layer.gelu import gelu
from nnlab.layer.key_value_cache import KeyValueCache, LayerCache
from nnlab.layer.lora import merge_lora
from nnlab.layer.positions import position_angles, rotate
from nnlab.learner import Learner
from nnlab.limits import Count, Natural, Positive, Share, must_divide
from nnlab.pretrained.gpt2 import load_gpt2, save_gpt2
from nnlab.windows import side_by_side

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nnlab.generate.speech import Tokenizer

Tokens = Int[Tensor, "batch time"]
Stream = Float[Tensor, "batch time width"]  # what each block adds to
Heads = Float[Tensor, "batch heads time head_size"]
Mask = Bool[Tensor, "batch 1 time seen"]  # None: all tokens before

SHOWN_TOKENS = 64  # in the picture of attention
SHOWN_NEXT = 5  # tokens that `predict` names


def padded(size: int, *, to: int) -> int:
    """Return the next multiple."""
    return math.ceil(size / to) * to


class SelfAttention(nn.Module):
    """Each token asks (query) all before it (key) and gathers their answers (value).

    Vaswani, section 3.2. Fewer key-value heads than heads: groups of queries share them
    (Ainslie et al. 2023, https://arxiv.org/abs/2305.13245). `normalizes` gives queries
    and keys one length (Henry et al. 2020, https://arxiv.org/abs/2010.04245). Where it
    `is_explicit`, it keeps its last `weights` (batch, heads, time, seen) to look at.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        key_value_heads: int,
        *,
        dropout: float,
        bias: bool,
    ) -> None:
        super().__init__()
        self.heads = (heads, key_value_heads, key_value_heads)
        self.head_size = width // heads
        self.dropout = dropout
        self.normalizes = self.is_explicit = False
        self.weights: Tensor | None = None
        self.query_key_value = nn.Linear(width, sum(self.heads) * self.head_size, bias)
        self.output = nn.Linear(width, width, bias)

    def forward(
        self,
        x: Stream,
        angles: Tensor | None,
        past: LayerCache | None,
        mask: Mask | None = None,
    ) -> Stream:
        x = self.query_key_value(x).unflatten(2, (-1, self.head_size))
        # (batch, time, heads, head_size) -> (batch, heads, time, head_size)
        query, key, value = x.transpose(1, 2).split(self.heads, dim=1)
        if self.normalizes:
            query = F.rms_norm(query, (self.head_size,)).type_as(value)
            key = F.rms_norm(key, (self.head_size,)).type_as(value)
        if angles is not None:
            query, key = rotate(query, angles), rotate(key, angles)
        if past is not None:
            key, value = past.extend(key, value)
        gather = self._explicitly if self.is_explicit else self._fused
        x = gather(query, key, value, mask)  # (batch, heads, time, head_size)
        return self.output(x.transpose(1, 2).flatten(2))

    def _explicitly(
        self, query: Heads, key: Heads, value: Heads, mask: Mask | None
    ) -> Heads:
        """Compute softmax(Q K^T / sqrt(d)) V, equation 1, step by step."""
        groups = query.shape[1] // key.shape[1]
        key, value = (x.repeat_interleave(groups, dim=1) for x in (key, value))
        scores = (
            query @ key.mT / math.sqrt(self.head_size)
        )  # (batch, heads, time, seen)
        if mask is None:
            mask = looking_back(query.shape[2], key.shape[2], query)
        weights = scores.masked_fill(~mask, -math.inf).softmax(dim=-1)
        self.weights = weights.detach()
        return F.dropout(weights, self.dropout, self.training) @ value

    def _fused(
        self, query: Heads, key: Heads, value: Heads, mask: Mask | None
    ) -> Heads:
        """Compute the same without ever storing the weights."""
        time, seen = query.shape[2], key.shape[2]
        if 1 < time < seen:  # SDPA's own mask takes the first key for the oldest
            mask = looking_back(time, seen, query)
        return F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=mask,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=mask is None and bool(time == seen),  # in a trace it is a tensor
            enable_gqa=self.heads[0] != self.heads[1],
        )


class FeedForward(nn.Module):
    """Each token thinks for itself: wider, bent, and back (Vaswani, section 3.3).

    `relu_squared`: So et al. 2021, https://arxiv.org/abs/2109.08668. `swiglu`: Shazeer
    2020, https://arxiv.org/abs/2002.05202, two thirds as wide for as many weights.
    """

    def __init__(self, width: int, *, kind: str, bias: bool) -> None:
        super().__init__()
        self.kind = kind
        inner = 4 * width if kind != "swiglu" else padded(8 * width // 3, to=8)
        gates = 2 if kind == "swiglu" else 1
        self.expand = nn.Linear(width, gates * inner, bias)
        self.output = nn.Linear(inner, width, bias)

    def forward(self, x: Stream) -> Stream:
        x = self.expand(x)  # (batch, time, inner), twice that with a gate
        if self.kind == "gelu":
            x = gelu(x)
        elif self.kind == "relu_squared":
            x = x.relu().square()
        else:
            gate, x = x.chunk(2, dim=-1)
            x = F.silu(gate) * x
        return self.output(x)


class Block(nn.Module):
    """Two steps, each added to the stream, each on a normalised copy of it."""

    def __init__(
        self, attention: SelfAttention, feed_forward: FeedForward, *norms: nn.Module
    ) -> None:
        super().__init__()
        self.attention_norm, self.feed_forward_norm = norms
        self.attention, self.feed_forward = attention, feed_forward
        self.dropout = nn.Dropout(attention.dropout)

    def forward(
        self,
        x: Stream,
        angles: Tensor | None,
        past: LayerCache | None,
        mask: Mask | None = None,
    ) -> Stream:
        x = x + self.dropout(self.attention(self.attention_norm(x), angles, past, mask))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


class GPT(Learner):
    """Scores each token of the vocabulary as the next one, after each of a text."""

    takes_documents = True  # a batch may say of which document each token is
    angles: Tensor  # a buffer, where positions are not learned

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
        must_divide("heads", heads, "embedding_size", embedding_size)
        must_divide("key_value_heads", key_value_heads, "heads", heads)
        self.vocabulary_size, self.context_size = vocabulary_size, context_size
        self.positions, self.logit_softcap = positions, logit_softcap
        self.pretrained = pretrained
        self.tokenizer: Tokenizer | None = None  # the data's, once there are data

        def make_norm() -> nn.Module:
            if norm == "rms":  # Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467
                return nn.RMSNorm(embedding_size, eps=1e-5)
            return nn.LayerNorm(embedding_size, eps=1e-5, bias=use_bias)

        def make_block() -> Block:
            gather = SelfAttention(
                embedding_size, heads, key_value_heads, dropout=dropout, bias=use_bias
            )
            gather.normalizes = normalizes_queries
            gather.is_explicit = attention == "explicit"
            think = FeedForward(embedding_size, kind=feed_forward, bias=use_bias)
            return Block(gather, think, make_norm(), make_norm())

        rows = padded(vocabulary_size, to=64)
        self.token_embedding = nn.Embedding(rows, embedding_size)
        if positions == "learned":
            self.position_embedding = nn.Embedding(context_size, embedding_size)
        else:
            size = embedding_size // (heads if positions == "rotary" else 1)
            if size % 2:
                raise ValueError(
                    f"model.positions={positions} takes features in pairs, and "
                    f"model.embedding_size={embedding_size} gives {size}; try 2 a head"
                )
            angles = position_angles(context_size, size)
            self.register_buffer("angles", angles, persistent=False)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(make_block() for _ in range(layers))
        self.final_norm = make_norm()
        self.unembedding = nn.Linear(embedding_size, rows, bias=False)
        if ties_embeddings:  # Press & Wolf 2017, https://arxiv.org/abs/1608.05859
            self.unembedding.weight = self.token_embedding.weight
        self._initialise(zero_outputs=zero_outputs)
        choose_trained(self, trained_blocks=trained_blocks, lora_rank=lora_rank)

    def forward(
        self,
        tokens: Tokens,
        cache: KeyValueCache | None = None,
        documents: Tokens | None = None,
    ) -> Float[Tensor, "batch time vocabulary"]:
        if cache is not None:
            return cache.read(tokens, self._logits)
        return self._logits(tokens, [None] * len(self.blocks), documents)

    def _logits(
        self,
        tokens: Tokens,
        pasts: Sequence[LayerCache | None],
        documents: Tokens | None = None,
    ) -> Float[Tensor, "batch time vocabulary"]:
        first = pasts[0].length if pasts[0] else 0
        end = first + tokens.shape[1]
        if end > self.context_size:
            raise ValueError(
                f"model.context_size={self.context_size} is less than the {end} tokens "
                f"of a text; try model.context_size={end}"
            )
        angles, mask, places = None, None, slice(first, end)
        if documents is not None:  # each is read as if it stood alone
            mask, places = within_documents(documents), places_within(documents)
        x = self.token_embedding(tokens)  # (batch, time, width)
        if self.positions == "learned":
            x = x + self.position_embedding.weight[places]
        elif self.positions == "sinusoidal":
            wave = self.angles[places]
            x = x * math.sqrt(x.shape[2]) + torch.cat([wave.sin(), wave.cos()], -1)
        else:
            angles = self.angles[places]
        x = self.dropout(x)
        for block, past in zip(self.blocks, pasts, strict=True):
            x = block(x, angles, past, mask)
        logits = self.unembedding(self.final_norm(x))[..., : self.vocabulary_size]
        if self.logit_softcap is not None:  # Gemma 2, https://arxiv.org/abs/2408.00118
            logits = self.logit_softcap * (logits / self.logit_softcap).tanh()
        return logits

    def measure(self, batch: tuple[Tokens, ...]) -> dict[str, Float[Tensor, ""]]:
        tokens, targets, *documents = batch
        scores = self(tokens, None, *documents)
        loss = F.cross_entropy(scores.flatten(0, 1), targets.flatten())
        return {"loss": loss}  # nats a token

    @torch.no_grad()
    def predict(self, batch: tuple[Tokens, ...]) -> list[Answer]:
        """Return how well each text was foreseen, and what is likely to follow it.

        A text beyond context_size is read in windows side by side.
        """
        return [self._read(*each) for each in zip(*batch[:2], strict=True)]

    def _read(
        self, text: Int[Tensor, " time"], follows: Int[Tensor, " time"]
    ) -> Answer:
        lost = torch.zeros(())
        for seen, then in side_by_side(text, follows, self.context_size):
            logits = self(seen).flatten(0, 1)
            each = F.cross_entropy(logits, then.flatten(), reduction="sum")
            lost = lost + each.cpu()  # what is not known, -100, counts as nothing
        foreseen = int((follows >= 0).sum())
        nats = float(lost) / max(foreseen, 1)
        share = self(text[None, -self.context_size :])[0, -1].float().softmax(dim=0)
        top = share.topk(min(SHOWN_NEXT, self.vocabulary_size))
        likely = {
            self._shown(int(token)): probability
            for probability, token in zip(*map(Tensor.tolist, top), strict=True)
        }
        nexts = ", ".join(f"{token!r} {percent(p)}" for token, p in likely.items())
        values = {"tokens": len(text), "next": likely}
        if not foreseen:
            return Answer(f"next {nexts}", values)
        perplexity = math.exp(nats)
        values |= {"nats_per_token": nats, "perplexity": perplexity}
        said = f"perplexity {perplexity:.4g} a token ({nats:.4f} nats); next {nexts}"
        return Answer(said, values)

    def _shown(self, token: int) -> str:
        return str(token) if self.tokenizer is None else self.tokenizer.decode([token])

    def illustrate(self, batch: tuple[Tokens, ...]) -> "Mapping[str, Figure | str]":
        """Draw who looks at whom in one text, and let the model speak."""
        from nnlab.generate.specimen import specimen
        from nnlab.picture.attention_maps import attention_maps

        text = batch[0][:1, :SHOWN_TOKENS]
        shown: dict[str, Figure | str] = {
            "attention": attention_maps(attention_weights(self, text)[:, 0])
        }
        if self.tokenizer is not None:
            shown["sample"] = specimen(self, self.tokenizer, text[0, :1])  # pyright: ignore
        return shown

    def new_cache(self, batch_size: int, *, stride: int | None = None) -> KeyValueCache:
        """Return an empty memory for `forward`, of texts that it reads piece by piece.

        `stride`: tokens by which a full window moves on; None is a quarter of it.
        """
        attentions = (m for m in self.modules() if isinstance(m, SelfAttention))
        attention = next(attentions)  # all are alike
        return KeyValueCache(
            batch_size=batch_size,
            layers=len(self.blocks),
            heads=attention.heads[1],
            head_size=attention.head_size,
            context_size=self.context_size,
            stride=stride or max(1, self.context_size // 4),
            like=self.token_embedding.weight,
        )

    def export(self, numbers: Mapping[str, Any], folder: Path) -> str:
        """Write the weights, low-rank changes merged, as transformers' GPT-2."""
        merge_lora(self)
        save_gpt2(self, numbers, folder)
        return "transformers: GPT2LMHeadModel.from_pretrained(folder)"

    def setup(self, stage: str) -> None:
        data: Any = self.trainer.datamodule  # pyright: ignore[reportAttributeAccessIssue]
        self.tokenizer = getattr(data, "tokenizer", None)
        # a run that continues has its own weights
        if stage == "fit" and self.pretrained and not self.trainer.ckpt_path:
            load_gpt2(self, self.pretrained)

    @torch.no_grad()
    def _initialise(self, *, zero_outputs: bool) -> None:
        """Draw GPT-2's first weights; what is added to the stream begins smaller."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and "bias" in module.state_dict():
                nn.init.zeros_(module.bias)
        # 2 layers of independent terms then add up to the size of one
        factor = 0 if zero_outputs else 1 / math.sqrt(2 * len(self.blocks))
        for module in self.modules():
            if isinstance(module, SelfAttention | FeedForward):
                module.output.weight.mul_(factor)
