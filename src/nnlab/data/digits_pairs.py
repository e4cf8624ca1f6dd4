"""Pairs of scikit-learn's digits: `mnist_pairs` where nothing can be downloaded."""

from nnlab.data._pairs import Pairs


class DigitsPairs(Pairs):
    """Pairs as (first, second, first label, second label), drawn anew each epoch."""
