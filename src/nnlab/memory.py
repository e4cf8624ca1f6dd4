"""Out of memory: told from other failures, and what to lower then."""

from collections.abc import Mapping
from typing import Any

import torch

# What torch's allocators and CUDA's libraries say where it is no class of its own.
SIGNS = ("allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory was asked for and not to be had."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)


def what_to_lower(config: Mapping[str, Any]) -> str:
    """Return the sentence for a run that needs more memory than there is."""
    trainer, data = config["trainer"], config["data"]
    device = "the device" if trainer.get("accelerator") != "cpu" else "this machine"
    size, window = data.get("batch_size"), trainer.get("accumulate_grad_batches") or 1
    hints: list[str] = []
    if isinstance(size, int) and size > 1:
        hints.append(
            f"lower data.batch_size={size} ({size // 2} with "
            f"trainer.accumulate_grad_batches={2 * window} takes the same steps)"
        )
    if not str(trainer.get("precision", "")).startswith("bf16"):
        hints.append("try precision=bf16")
    if not hints:
        hints.append("make the model smaller")
    return f"out of memory: the run needs more than {device} has; {' or '.join(hints)}"
