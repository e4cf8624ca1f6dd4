import pytest

from nnlab.corpus.document import Document
from nnlab.corpus.filter.language import language

NUMBERS = {"minimum": 0.65, "characters": 2000, "trusts_header": True}
ENGLISH = (
    "The dog runs through the forest because it saw a small grey rabbit there. " * 9
)
GERMAN = "Der Hund läuft durch den Wald, weil er dort ein graues Kaninchen sah. " * 9


def test_the_wanted_language_stays_and_others_go():
    rule = language(**NUMBERS, wanted="en")
    pages = [Document(text.encode()) for text in (ENGLISH, GERMAN)]
    assert [rule.keeps(rule.score(page)) for page in pages] == [True, False]
    assert [page.language for page in pages] == ["en", "de"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [(("eng",), True), (("deu",), False), (("deu", "eng"), True), ((), True)],
)
def test_what_the_archive_says_decides_first(said, kept):
    rule = language(**NUMBERS, wanted="en")
    page = Document(ENGLISH.encode(), languages=said)
    assert rule.keeps(rule.score(page)) is kept
    doubting = language(**{**NUMBERS, "trusts_header": False}, wanted="en")
    assert doubting.keeps(doubting.score(page))


def test_a_header_does_not_save_another_language():
    rule = language(**NUMBERS, wanted="en")
    page = Document(GERMAN.encode(), languages=("eng",))
    assert rule.score(page) == 0


@pytest.mark.parametrize("text", ["", "\n\n", "\u0085\u0001", "12 34", "🙂"])
def test_no_text_is_a_fault(text):
    assert language(**NUMBERS, wanted="en").score(Document(text.encode())) < 0.65


def test_on_documents_of_75_languages_english_stays_and_the_others_go(real_data):
    folder = real_data / "wet/sentences"
    if not folder.is_dir():
        pytest.skip("needs wet/sentences under NNLAB_DATA")
    rule = language(**NUMBERS, wanted="en")
    kept = {True: [0, 0], False: [0, 0]}
    for file in sorted(folder.glob("*.txt")):
        lines = [x for x in file.read_text("utf-8").splitlines() if x.strip()]
        count = kept[file.stem == "en"]
        # every other language at a tenth of its documents
        for at in range(0, len(lines) - 9, 10 if file.stem == "en" else 100):
            page = Document("\n".join(lines[at : at + 10]).encode())
            count[0] += rule.keeps(rule.score(page))
            count[1] += 1
    assert kept[True][0] / kept[True][1] >= 0.99
    assert kept[False][0] / kept[False][1] <= 0.001
