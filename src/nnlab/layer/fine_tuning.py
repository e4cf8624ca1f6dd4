"""Which weights of a Transformer go on learning: all, the last blocks', or LoRA's."""

from typing import Any, Protocol

from torch import nn

from nnlab.layer.lora import add_lora


class Transformer(Protocol):
    """A network of blocks in a row, with a norm after the last."""

    blocks: nn.ModuleList
    final_norm: nn.Module

    def requires_grad_(self, requires_grad: bool = True) -> Any: ...


def choose_trained(
    model: Transformer, *, trained_blocks: int | None, lora_rank: int
) -> None:
    """Leave only the last blocks and the norm, or changes of low rank, to be trained.

    Raises:
        ValueError: where there are fewer blocks than are to be trained.
    """
    if trained_blocks is not None or lora_rank:
        model.requires_grad_(False)
    blocks = model.blocks
    if trained_blocks is not None:
        if trained_blocks > len(blocks):
            raise ValueError(
                f"model.trained_blocks={trained_blocks} is more than "
                f"model.layers={len(blocks)}; null trains all weights"
            )
        last = blocks[len(blocks) - trained_blocks :]
        nn.ModuleList([*last, model.final_norm]).requires_grad_(True)
    if lora_rank:
        add_lora(blocks, rank=lora_rank)
