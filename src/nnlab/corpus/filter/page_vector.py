"""A page as a vector of hashed character n-grams, for a small network to read.

Weinberger, Dasgupta, Langford, Smola & Attenberg (2009), "Feature Hashing for Large
Scale Multitask Learning", https://arxiv.org/abs/0902.2206, without signs; n-grams of
characters tell languages: Cavnar & Trenkle (1994), "N-Gram-Based Text Categorization".
"""

import numpy as np
from jaxtyping import Float, Int

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
    codes: Int[np.ndarray, "batch characters"], features: int
) -> Float[np.ndarray, "batch features"]:
    """Return the square roots of the n-grams' shares: rows of length sqrt(features).

    A text of one sentence and one of ten are then alike, and numbers are about one.
    """
    codes = codes.astype(np.int64)
    counts = np.zeros((len(codes), features), np.float32)
    first = np.arange(len(codes))[:, None] * features  # of each row, in a flat table
    for order in ORDERS:
        grams = np.lib.stride_tricks.sliding_window_view(codes, order, axis=1)
        hashes = np.full(grams.shape[:2], order)  # (batch, places)
        for column in range(order):
            hashes = (hashes + grams[..., column]) * _FACTOR % (1 << 31)
        buckets = first + (hashes ^ (hashes >> 15)) % features
        is_text = grams[..., -1] != 0
        found = np.bincount(buckets[is_text], minlength=counts.size)
        counts += found.reshape(counts.shape)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.sqrt(shares * features)
