"""The loops that nnlab's steps are measured against: one's own, and nanoGPT's."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH, LAYERS, HEADS, CONTEXT, ROWS = 128, 4, 4, 64, 128
BATCH = 12


class Block(nn.Module):
    """A block as one writes it by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH, bias=False) for _ in range(2))
        self.gather = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.down = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, time, _ = x.shape
        q, k, v = (
            part.view(batch, time, HEADS, -1).transpose(1, 2)
            for part in self.gather(self.norms[0](x)).chunk(3, dim=-1)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).flatten(2))
        y = F.gelu(self.up(self.norms[1](x)), approximate="tanh")
        return x + self.down(y)


class HandWritten:
    """The same network, fused AdamW, clipping; one gather a batch from memory."""

    def __init__(self, ids: Tensor) -> None:
        self.windows = ids.unfold(0, CONTEXT + 1, 1)
        self.tokens = nn.Embedding(ROWS, WIDTH)
        self.places = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH, bias=False)
        self.network = nn.ModuleList([self.tokens, self.places, self.blocks, self.norm])
        for weight in self.network.parameters():
            if weight.ndim > 1:
                nn.init.normal_(weight, std=0.02)
        weights = list(self.network.parameters())
        groups = [
            {"params": [w for w in weights if w.ndim > 1], "weight_decay": 0.1},
            {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(
            groups, lr=1e-3, betas=(0.9, 0.99), fused=True
        )

    def take(self, steps: int) -> float:
        """Train for that many steps; return the last loss, looked at once."""
        loss = torch.tensor(0.0)
        for _ in range(steps):
            first = torch.randint(len(self.windows), (BATCH,))
            window = self.windows.index_select(0, first).long()
            x = self.tokens(window[:, :-1]) + self.places.weight
            logits = self.norm(self.blocks(x)) @ self.tokens.weight.T
            logits = logits[..., :65].flatten(0, 1)
            loss = F.cross_entropy(logits, window[:, 1:].flatten())
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad()
        return loss.item()


class NanoGPT:
    """nanoGPT's own network and optimizer, and what its train.py does in a step.

    That reads each window from a memory map made anew for each batch, and looks at the
    loss in every step where log_interval is 1, as its README's CPU command has it.
    """

    def __init__(self, ids: Tensor, folder: Path, text: Path) -> None:
        self.text = text
        ids.numpy().astype(np.uint16).tofile(text)
        module = _module(folder / "model.py")
        config = module.GPTConfig(
            block_size=CONTEXT,
            vocab_size=65,
            n_layer=LAYERS,
            n_head=HEADS,
            n_embd=WIDTH,
            dropout=0.0,
            bias=False,
        )
        self.network = module.GPT(config)
        self.optimizer = self.network.configure_optimizers(
            0.1, 1e-3, (0.9, 0.99), "cpu"
        )

    def take(self, steps: int) -> float:
        """Train for that many steps; return the last loss."""
        last = 0.0
        for _ in range(steps):
            tokens, targets = self._batch()
            _, loss = self.network(tokens, targets)
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            last = loss.item()
        return last

    def _batch(self) -> tuple[Tensor, Tensor]:
        ids = np.memmap(self.text, dtype=np.uint16, mode="r")
        places = torch.randint(len(ids) - CONTEXT, (BATCH,)).tolist()
        tokens, targets = (
            torch.stack(
                [
                    torch.from_numpy(ids[i + k : i + k + CONTEXT].astype(np.int64))
                    for i in places
                ]
            )
            for k in (0, 1)
        )
        return tokens, targets


def _module(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("nanogpt_model", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise SystemExit(f"there is no {file}; clone github.com/karpathy/nanoGPT")
    module = importlib.util.module_from_spec(spec)
    sys.modules["nanogpt_model"] = module
    spec.loader.exec_module(module)
    return module
