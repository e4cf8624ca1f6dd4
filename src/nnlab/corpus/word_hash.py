"""64-bit hashes of words and of runs of words; the same in every process."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

KNOWN = 1 << 17  # words remembered by a process: some 15 MB
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio


class _Known(dict[str, int]):
    """Hashes of the words met so far; forgotten when they are too many."""

    def __missing__(self, word: str) -> int:
        if len(self) >= KNOWN:
            self.clear()
        digest = hashlib.blake2b(word.encode(errors="replace"), digest_size=8).digest()
        found = self[word] = int.from_bytes(digest, "little")
        return found


_known = _Known()


def word_hashes(words: Sequence[str]) -> NDArray[np.uint64]:
    """Return a hash for each word (words)."""
    return np.fromiter(map(_known.__getitem__, words), np.uint64, len(words))


def grams(hashes: NDArray[np.uint64], words: int) -> NDArray[np.uint64]:
    """Return a hash for each run of so many words; none where there are fewer."""
    runs = max(0, len(hashes) - words + 1)
    found = np.zeros(runs, np.uint64)
    for offset in range(words):
        found *= _FACTOR
        found ^= found >> np.uint64(29)
        found += hashes[offset : offset + runs]
    return found
