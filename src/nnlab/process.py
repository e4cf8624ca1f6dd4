"""What is global to a process: threads, seeds, the heap, a switch of Lightning's."""

import ctypes
import os
import sys
from typing import Any

import torch
from lightning import seed_everything

# glibc's mallopt: below this much, what is freed stays in the process.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def prepare_process(config: dict[str, Any]) -> None:
    """Set threads and seeds, and what makes steps on a CPU fast."""
    if config["threads"] is not None:
        torch.set_num_threads(config["threads"])
    seed_everything(config["seed"], workers=True, verbose=False)
    _keep_heap()
    if config["trainer"].get("accelerator") == "cpu":
        # Lightning sets it to 1, for processes that fork and then use a GPU. Adam and
        # others then look for one through NVML at each step: 40 us of it.
        os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "0"


def _keep_heap() -> None:
    """Keep freed memory for the next step instead of giving it back to the system.

    By default glibc maps and unmaps a convolution's activations at each step: up to
    2 ms of page faults for LeNet-5 at batch 128, by the luck of the heap.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(M_TRIM_THRESHOLD, 2**30)
        libc.mallopt(M_MMAP_THRESHOLD, 2**25)
