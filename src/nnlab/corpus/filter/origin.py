"""Rules of where a document comes from, how long it is, and which words it may hold."""

import math
import re

from nnlab.corpus.document import Document
from nnlab.corpus.filter.rule import Rule


def characters(minimum: int | None, maximum: int | None) -> Rule:
    """Characters of the text; null is no bound."""
    return Rule(
        "characters",
        lambda document: len(document.text),
        -math.inf if minimum is None else minimum,
        math.inf if maximum is None else maximum,
    )


def content_type(*, accepted: list[str]) -> Rule:
    """1 where the archive calls the text one of these types, or says nothing."""
    types = frozenset(accepted)

    def score(document: Document) -> float:
        said = document.content_type.partition(";")[0].strip().lower()
        return float(not said or said in types)

    return Rule("content_type", score, minimum=1)


def hosts(*, blocked: list[str], allowed: list[str]) -> Rule:
    """1 where the host may be read; a name stands for its subdomains too.

    Args:
        blocked: never kept.
        allowed: where this names any, no other host is kept; blocked ones are not.
    """
    block, allow = frozenset(blocked), frozenset(allowed)

    def score(document: Document) -> float:
        if not block and not allow:
            return 1
        labels = document.host.split(".")
        names = {".".join(labels[at:]) for at in range(len(labels))}
        return float(not names & block and (not allow or bool(names & allow)))

    return Rule("hosts", score, minimum=1)


def keywords(*, blocked: list[str], required: list[str], maximum: int) -> Rule:
    """How often blocked words stand in the text; infinite where no required one does.

    Whole words or phrases, whatever their case.

    Args:
        blocked: words that a document may hold at most `maximum` times in all.
        required: where this names any, a document holds at least one.
    """
    block, need = _any_of(blocked), _any_of(required)

    def score(document: Document) -> float:
        if need is not None and not need.search(document.text):
            return math.inf
        return 0 if block is None else sum(1 for _ in block.finditer(document.text))

    return Rule("keywords", score, maximum=maximum)


def _any_of(words: list[str]) -> re.Pattern[str] | None:
    if not words:
        return None
    either = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)
