"""Gopher's repetition rules: how much of a text is said more than once.

Rae et al. (2021), https://arxiv.org/abs/2112.11446, appendix A.1.1, table A1.
Characters are those of words, without the space between; of what is repeated, all but
the first occurrence counts, as in datatrove (github.com/huggingface/datatrove).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nnlab.corpus.document import Document
from nnlab.corpus.filter.quality import written_lines
from nnlab.corpus.filter.rule import Rule
from nnlab.corpus.word_hash import grams, word_hashes

SHORTEST = 5  # words: a longer run is repeated only where its beginning is


def duplicate_lines(*, maximum: float) -> Rule:
    """Share of the lines that stood before."""
    return _repeated("duplicate_lines", written_lines, _ones, maximum)


def duplicate_line_characters(*, maximum: float) -> Rule:
    """Share of the characters that are in such lines."""
    return _repeated("duplicate_line_characters", written_lines, len, maximum)


def duplicate_paragraphs(*, maximum: float) -> Rule:
    """Share of the paragraphs, between blank lines, that stood before."""
    return _repeated("duplicate_paragraphs", paragraphs, _ones, maximum)


def duplicate_paragraph_characters(*, maximum: float) -> Rule:
    """Share of the characters that are in such paragraphs."""
    return _repeated("duplicate_paragraph_characters", paragraphs, len, maximum)


def top_gram(*, maximum: float, words: int) -> Rule:
    """Share of the characters that the commonest run of so many words makes up."""

    def score(document: Document) -> float:
        hashes, lengths = _hashed(document.text)
        runs = grams(hashes, words)
        if not len(runs):
            return 0
        _, first, counts = np.unique(runs, return_index=True, return_counts=True)
        most = counts.max()
        if most == 1:
            return 0
        starts = first[counts == most]  # of equally frequent ones the longest
        size = max(lengths[start : start + words].sum() for start in starts.tolist())
        return float(size * most / lengths.sum())

    return Rule(f"top_{words}_gram", score, maximum=maximum)


def duplicate_grams(*, maximum: float, words: int) -> Rule:
    """Share of the characters that are in runs of so many words that stood before."""

    def score(document: Document) -> float:
        later = _later(document.text, words)
        if not len(later):
            return 0
        _, lengths = _hashed(document.text)
        is_repeated = np.zeros(len(lengths), bool)
        for offset in range(words):
            is_repeated[later + offset] = True
        return float(lengths[is_repeated].sum() / lengths.sum())

    return Rule(f"duplicate_{words}_grams", score, maximum=maximum)


def paragraphs(document: Document) -> list[str]:
    """Return what blank lines part, without the space around it."""
    stripped = map(str.strip, document.text.split("\n\n"))
    return [paragraph for paragraph in stripped if paragraph]


def _repeated(
    name: str,
    parts: Callable[[Document], Sequence[str]],
    weight: Callable[[str], int],
    maximum: float,
) -> Rule:
    def score(document: Document) -> float:
        every = parts(document)
        once = set(every)
        if len(once) == len(every):
            return 0
        whole = sum(map(weight, every))
        return (whole - sum(map(weight, once))) / whole

    return Rule(name, score, maximum=maximum)


def _ones(part: str) -> int:
    del part
    return 1


# Six rules look at the same words one after the other.
@lru_cache(maxsize=1)
def _hashed(text: str) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    words = text.split()
    return word_hashes(words), np.fromiter(map(len, words), np.int64, len(words))


@lru_cache(maxsize=8)
def _later(text: str, words: int) -> NDArray[np.int64]:
    """Return where runs of words begin that stood before."""
    if words > SHORTEST and not len(_later(text, words - 1)):
        return np.zeros(0, np.int64)
    runs = grams(_hashed(text)[0], words)
    _, first = np.unique(runs, return_index=True)
    is_later = np.ones(len(runs), bool)
    is_later[first] = False
    return np.flatnonzero(is_later)
