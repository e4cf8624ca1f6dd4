"""Which rule a name in `data.filter` stands for; the list that a config asks for."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nnlab.corpus.filter import (
    classifier,
    language,
    lines,
    masks,
    origin,
    quality,
    repetition,
)
from nnlab.corpus.filter.language_codes import WITHOUT_SPACES
from nnlab.corpus.filter.rule import Change, Rule, Step

Maker = Callable[..., Rule | Change]

# Name in the YAML -> what makes the step of its numbers. A maker that takes `wanted`
# is given data.language.
MAKERS: Mapping[str, Maker] = {
    "content_type": origin.content_type,
    "hosts": origin.hosts,
    "language": language.language,
    "lines": lines.lines,
    "phrases": lines.phrases,
    "sentences": lines.sentences,
    "words": quality.words,
    "word_length": quality.word_length,
    "symbols": quality.symbols,
    "bullet_lines": quality.bullet_lines,
    "ellipsis_lines": quality.ellipsis_lines,
    "alphabetic_words": quality.alphabetic_words,
    "stop_words": quality.stop_words,
    "duplicate_lines": repetition.duplicate_lines,
    "duplicate_line_characters": repetition.duplicate_line_characters,
    "duplicate_paragraphs": repetition.duplicate_paragraphs,
    "duplicate_paragraph_characters": repetition.duplicate_paragraph_characters,
    **{
        f"top_{words}_gram": partial(repetition.top_gram, words=words)
        for words in (2, 3, 4)
    },
    **{
        f"duplicate_{words}_grams": partial(repetition.duplicate_grams, words=words)
        for words in (5, 6, 7, 8, 9, 10)
    },
    "keywords": origin.keywords,
    "masks": masks.masks,
    "classifier": classifier.classifier,
}
# What counts words says nothing where words are written together.
OF_WORDS = frozenset(MAKERS) - {
    "content_type", "hosts", "language", "phrases", "duplicate_lines", "masks",
    "duplicate_line_characters", "duplicate_paragraphs", "keywords", "classifier",
    "duplicate_paragraph_characters",
}  # fmt: skip


def steps(config: Mapping[str, Any]) -> list[Step]:
    """Return the rules and changes that `data.filter` names, in its order.

    Before them stands `characters`, with data.minimum_characters and its counterpart.
    null turns a rule off. Rules of words are left out for a language written without
    spaces, and those of a language for every other one.
    """
    bounds = (config["minimum_characters"], config["maximum_characters"])
    found: list[Step] = [origin.characters(*bounds)]
    for name, numbers in config["filter"].items():
        if is_asked(name, numbers, config["language"]):
            maker, given = MAKERS[name], as_numbers(numbers)
            if takes_wanted(maker):
                given["wanted"] = config["language"]
            found.append(maker(**given))
    return found


def is_asked(name: str, numbers: Any, wanted: str | None) -> bool:
    """Return whether a rule is to be applied to texts of the wanted language."""
    if numbers is None or (name == "language" and wanted is None):
        return False
    return not (name in OF_WORDS and wanted in WITHOUT_SPACES)


def as_numbers(numbers: Any) -> dict[str, Any]:
    """Return a rule's numbers; `classifier` may be a run's folder alone."""
    if isinstance(numbers, str):
        return {"run": numbers, "minimum": classifier.MINIMUM}
    return dict(numbers)


def takes_wanted(maker: Maker) -> bool:
    """Return whether a rule depends on data.language."""
    return "wanted" in inspect.signature(maker).parameters
