"""A shuffle of any length that is never in memory: place -> place, by a key.

Luby & Rackoff (1988), "How to Construct Pseudorandom Permutations from Pseudorandom
Functions", https://doi.org/10.1137/0217022: half of a number moves by a hash of the
other half, in turn. The halves are digits to the bases a and b with a b just above the
length; what falls beyond it goes through again (Black & Rogaway 2002, "Ciphers with
Arbitrary Finite Domains", method 2).
"""

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from nnlab.batches import mix

_ROUNDS = 3  # of two halves each


class Permutation:
    """A bijection of 0 … length - 1, another one for each key.

    Args:
        length: at least 1.
        key: numbers, a seed and an epoch say.
    """

    def __init__(self, length: int, *key: int) -> None:
        assert length >= 1
        self.length = length
        self.high = np.uint64(isqrt(length - 1) + 1)
        self.low = np.uint64(-(-length // int(self.high)))
        self.keys = [np.uint64(mix(*key, turn)) for turn in range(2 * _ROUNDS)]

    def __call__(self, places: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return where each place goes (places)."""
        found = self._once(places.astype(np.uint64))
        while (beyond := found >= self.length).any():
            found[beyond] = self._once(found[beyond])
        return found.astype(np.int64)

    def _once(self, places: NDArray[np.uint64]) -> NDArray[np.uint64]:
        high, low = places // self.low, places % self.low
        for turn in range(0, 2 * _ROUNDS, 2):
            high = (high + _hash(low, self.keys[turn])) % self.high
            low = (low + _hash(high, self.keys[turn + 1])) % self.low
        return high * self.low + low


def _hash(numbers: NDArray[np.uint64], key: np.uint64) -> NDArray[np.uint64]:
    """Return 32 bits for each number."""
    mixed = (numbers ^ key) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
    return mixed >> np.uint64(32)
