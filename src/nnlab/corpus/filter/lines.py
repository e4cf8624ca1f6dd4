"""C4's rules: lines that are no prose are taken out, and pages of mock text or code.

Raffel et al. (2020), "Exploring the Limits of Transfer Learning with a Unified
Text-to-Text Transformer", JMLR 21(140), section 2.2.
"""

import re

from nnlab.corpus.document import Document
from nnlab.corpus.filter.rule import Change, Rule

_ENDS = (".", "!", "?", '"', "”", "»", "…", "。", "！", "？", "।", "؟", "۔")  # noqa: RUF001
_SENTENCE_END = re.compile(r"[.!?。！？।؟۔]+(?=[\s\"'”»)\]]|$)")  # noqa: RUF001
_CITATION = re.compile(r"\[(?:\d{1,3}|citation needed|edit)\]", re.IGNORECASE)


def lines(
    *, minimum_words: int, ends_in_punctuation: bool, dropped_phrases: list[str]
) -> Change:
    """Take out lines, and Wikipedia's citation marks in the others.

    Args:
        minimum_words: of a line that stays.
        ends_in_punctuation: whether only lines stay that end as sentences do. It costs
            FineWeb 30 % of all tokens, for little (Penedo et al. 2024,
            https://arxiv.org/abs/2406.17557, section 3.5).
        dropped_phrases: no line stays that holds one of them, whatever its case.
    """
    phrases = [phrase.lower() for phrase in dropped_phrases]

    def stays(line: str) -> bool:
        if not line or line.isspace():
            return True  # between two paragraphs
        if minimum_words > 1 and len(line.split(None, minimum_words)) < minimum_words:
            return False
        return not ends_in_punctuation or line.rstrip().endswith(_ENDS)

    def change(text: str) -> str:
        if "[" in text:
            text = _CITATION.sub("", text)
        kept = list(filter(stays, text.split("\n")))
        if any(map(text.lower().count, phrases)):  # most texts hold none, in any line
            kept = [line for line in kept if not any(map(line.lower().count, phrases))]
        return "\n".join(kept)

    return Change("lines", change)


def phrases(*, dropped: list[str]) -> Rule:
    """How often phrases stand in the text that no prose holds: lorem ipsum, a {."""
    lowered = [phrase.lower() for phrase in dropped]

    def score(document: Document) -> float:
        text = document.text.lower()
        return sum(map(text.count, lowered))

    return Rule("phrases", score, maximum=0)


def sentences(*, minimum: int) -> Rule:
    """Sentences, counted by what ends them."""
    return Rule(
        "sentences",
        lambda document: len(_SENTENCE_END.findall(document.text)),
        minimum=minimum,
    )
