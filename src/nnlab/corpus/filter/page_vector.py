"""A page as a vector of hashed character n-grams, for a small network to read.

Weinberger, Dasgupta, Langford, Smola & Attenberg (2009), "Feature Hashing for Large
Scale Multitask Learning", https://arxiv.org/abs/0902.2206, without signs; n-grams of
characters tell languages: Cavnar & Trenkle (1994), "N-Gram-Based Text Categorization".
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

ORDERS = (1, 2, 3)  # characters of an n-gram
_FACTOR = 0x9E3779B1  # 2**32 / golden ratio


def page_codes(text: str, characters: int) -> Int[np.ndarray, " characters"]:
    """Return the code points of a text's start in lower case, 0 behind its end.

    White space of any length is one space; spaces stand at both ends, so that n-grams
    know where words begin.
    """
    start = " ".join(text[: 2 * characters].lower().split())
    points = np.frombuffer(f" {start} ".encode("utf-32-le", "replace"), "<u4")
    codes = np.zeros(characters, np.int32)
    codes[: len(points)] = points[:characters]
    return codes


def page_vectors(
    codes: Int[Tensor, "batch characters"], features: int
) -> Float[Tensor, "batch features"]:
    """Return the square roots of the n-grams' shares: rows of length sqrt(features).

    A text of one sentence and one of ten are then alike, and numbers are about one.
    """
    codes = codes.long()
    counts = codes.new_zeros(len(codes), features, dtype=torch.float32)
    for order in ORDERS:
        grams = codes.unfold(1, order, 1)  # (batch, places, order)
        hashes = torch.full_like(grams[..., 0], order)
        for column in grams.unbind(-1):
            hashes = (hashes + column) * _FACTOR % (1 << 31)
        buckets = (hashes ^ (hashes >> 15)) % features
        is_text = (grams[..., -1] != 0).float()
        counts.scatter_add_(1, buckets, is_text)
    shares = counts / counts.sum(dim=1, keepdim=True).clamp_min(1)
    return (shares * features).sqrt()
