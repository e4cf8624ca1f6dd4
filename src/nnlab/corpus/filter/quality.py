"""Gopher's quality rules: what text looks like that somebody wrote.

Rae et al. (2021), "Scaling Language Models: Methods, Analysis & Insights from Training
Gopher", https://arxiv.org/abs/2112.11446, appendix A.1.1.
"""

import math
import re

from nnlab.corpus.document import Document
from nnlab.corpus.filter.rule import Rule

_LETTER = re.compile(r"[^\W\d_]")
_BULLETS = ("•", "‣", "▪", "●", "-", "*")
_ELLIPSES = ("...", "…")


def words(*, minimum: int, maximum: int) -> Rule:
    """Words of the text."""
    return Rule("words", lambda document: len(document.words), minimum, maximum)


def word_length(*, minimum: float, maximum: float) -> Rule:
    """Mean characters of a word."""
    return Rule("word_length", _word_length, minimum, maximum)


def symbols(*, maximum: float) -> Rule:
    """Hash signs, or ellipses, whichever are more, a word."""

    def score(document: Document) -> float:
        text = document.text
        ellipses = sum(map(text.count, _ELLIPSES))
        return _share(max(text.count("#"), ellipses), len(document.words))

    return Rule("symbols", score, maximum=maximum)


def bullet_lines(*, maximum: float) -> Rule:
    """Share of the lines that begin with a bullet."""

    def score(document: Document) -> float:
        lines = written_lines(document)
        return _share(sum(line.startswith(_BULLETS) for line in lines), len(lines))

    return Rule("bullet_lines", score, maximum=maximum)


def ellipsis_lines(*, maximum: float) -> Rule:
    """Share of the lines that end in an ellipsis."""

    def score(document: Document) -> float:
        lines = written_lines(document)
        return _share(sum(line.endswith(_ELLIPSES) for line in lines), len(lines))

    return Rule("ellipsis_lines", score, maximum=maximum)


def alphabetic_words(*, minimum: float) -> Rule:
    """Share of the words that hold a letter."""

    def score(document: Document) -> float:
        others = [word for word in document.words if not word.isalpha()]
        without = sum(_LETTER.search(word) is None for word in others)
        return 1 - _share(without, len(document.words))

    return Rule("alphabetic_words", score, minimum=minimum)


def stop_words(
    *, minimum: int, words: list[str], language: str, wanted: str | None
) -> Rule:
    """How many of a language's commonest words the text holds.

    Args:
        language: of the words; where another one is wanted, every text passes.
    """
    common = frozenset(words)

    def score(document: Document) -> float:
        return len(common.intersection(document.words))

    return Rule("stop_words", score, minimum if wanted == language else -math.inf)


def written_lines(document: Document) -> list[str]:
    """Return the lines that are not blank, without the space around them."""
    stripped = map(str.strip, document.text.split("\n"))
    return [line for line in stripped if line]


def _word_length(document: Document) -> float:
    return _share(sum(map(len, document.words)), len(document.words))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
