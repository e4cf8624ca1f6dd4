"""What a model computes for one example: multiplications and additions."""

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._pytree import tree_map_only
from torch.utils.flop_counter import FlopCounterMode

from nnlab.learner import Learner


def forward_flops(model: Learner, batch: Any) -> int:
    """Return the floating point operations of measuring one example, no gradients.

    Matrix products, convolutions and attention count, a multiplication and an addition
    as two (`torch.utils.flop_counter`); what is done element by element does not.
    """
    example = tree_map_only(torch.Tensor, lambda part: part[:1], batch)
    was_training = model.training
    model.eval()
    with (
        torch.no_grad(),
        torch.random.fork_rng(),
        _no_onednn(),
        FlopCounterMode(display=False) as counter,
    ):
        model.measure(example)
    model.train(was_training)
    return counter.get_total_flops()


@contextmanager
def _no_onednn() -> Generator[None]:
    # oneDNN's whole LSTM is one operation, which the counter does not know; and to
    # switch it off warns of a GPU's setting.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with torch.backends.mkldnn.flags(enabled=False):
            yield
