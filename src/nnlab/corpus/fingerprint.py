"""What equal and nearly equal texts share: a hash of all words, and MinHash bands.

Broder (1997), "On the resemblance and containment of documents",
https://doi.org/10.1109/SEQUEN.1997.666900; bands as in Leskovec, Rajaraman & Ullman,
"Mining of Massive Datasets", section 3.4. 14 bands of 8 over runs of 5 words are
FineWeb's (Penedo et al. 2024, https://arxiv.org/abs/2406.17557): two texts that share
three quarters of their runs are found with a probability of 0.77, half of them 0.05.
"""

import hashlib
import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from nnlab.corpus.word_hash import grams, word_hashes

BANDS, ROWS, WORDS = 14, 8, 5
SEED = 1
FINGERPRINT = np.dtype([("exact", "<u8", 2), ("bands", "<u8", BANDS)])
LONGEST_WORD = 16  # mean characters; longer ones are no words: no spaces are written
_WORD = re.compile(r"\w+")


def fingerprint(text: str) -> NDArray[np.void]:
    """Return the fingerprint of a text, one item of FINGERPRINT.

    `exact` is 128 bits of the normalised text. Each of `bands` is 64 bits of a band's
    MinHashes: texts are near copies where one of their bands is equal.
    """
    from rensa import RMinHash  # pyright: ignore  # here: training does without it

    words = normalised(text)
    item = np.zeros((), FINGERPRINT)
    joined = " ".join(words).encode(errors="replace")
    item["exact"] = np.frombuffer(
        hashlib.blake2b(joined, digest_size=16).digest(), "<u8"
    )
    if not words:
        words = [""]
    if sum(map(len, words)) > LONGEST_WORD * len(words):
        words = list("".join(words))  # runs of characters, for Chinese say
    runs = grams(word_hashes(words), min(WORDS, len(words)))
    hashes = RMinHash.digest_matrix_from_flat_token_hashes(
        runs, [0, len(runs)], BANDS * ROWS, SEED
    )
    rows = np.array(hashes.to_rows(), np.uint64).reshape(BANDS, ROWS)
    item["bands"] = [_band(index, row) for index, row in enumerate(rows)]
    return item


def normalised(text: str) -> list[str]:
    """Return the words in lower case, one form a character, without signs."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _WORD.findall(text.lower())


def _band(index: int, row: NDArray[np.uint64]) -> int:
    digest = hashlib.blake2b(
        row.astype("<u8").tobytes(), digest_size=8, person=b"%d" % index
    )
    return int.from_bytes(digest.digest(), "little")
