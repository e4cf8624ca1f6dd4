"""Each rule keeps one document and drops another; its score is counted by hand."""

import math

import pytest

from nnlab.compose import Composer, plain
from nnlab.corpus.document import Document
from nnlab.corpus.filter import check_filter, steps
from nnlab.corpus.filter.rule import Rule
from nnlab.errors import UserError

PROSE = "The dog of the house and the cat have a garden that they like to be in"


@pytest.fixture(scope="module")
def composer():
    return Composer(config_name="prepare")


@pytest.fixture
def config(composer):
    return lambda *words: plain(composer.compose(list(words)))["data"]


@pytest.fixture
def rule(config):
    def find(name, *words):
        return next(step for step in steps(config(*words)) if step.name == name)

    return find


def document(text, url="http://www.news.example.org/a", **more):
    return Document(text.encode(), url=url, **more)


RUN = "one two three four five six"  # 22 characters
SCORES = [
    ("characters", "abc", 3),
    ("phrases", "A Lorem ipsum, lorem ipsum", 2),
    ("sentences", 'One. Two! "Three?" 3.14 is no end', 3),
    ("words", "four words are here", 4),
    ("word_length", "four words are", 4),
    ("symbols", "a # b ... c ... d", 2 / 7),
    ("bullet_lines", "- one\n\n* two\nthree\nfour", 0.5),
    ("ellipsis_lines", "one ...\ntwo…\nthree\nfour", 0.5),
    ("alphabetic_words", "one 2 a3 -- ä", 0.6),
    ("stop_words", PROSE, 7),  # of the and have that to be
    ("duplicate_lines", "a\nb\na\n\na", 0.5),
    ("duplicate_line_characters", "aa\nb\naa", 2 / 5),
    ("duplicate_paragraphs", "a\nb\n\nc\n\na\nb", 1 / 3),
    ("duplicate_paragraph_characters", "ab\n\nc\n\nab", 2 / 5),
    ("top_2_gram", "a b c a b d", 4 / 6),
    ("top_3_gram", "a b c d e f", 0),
    ("duplicate_5_grams", f"{RUN} x {RUN}", 22 / 45),
    ("duplicate_6_grams", f"{RUN} x {RUN}", 22 / 45),
    ("duplicate_7_grams", f"{RUN} x {RUN}", 0),
]


@pytest.mark.parametrize(("name", "text", "score"), SCORES)
def test_a_score_is_what_one_counts_by_hand(rule, name, text, score):
    found = rule(name).score(document(text))
    assert found == pytest.approx(score)


def test_every_rule_of_the_yaml_has_a_score_for_any_text(config):
    words = ["data.filter.keywords.blocked=[casino]", "data.filter.masks.kinds=[ip]"]
    every = steps(config(*words))
    assert len(every) == len(config()["filter"])  # characters for the classifier
    for text in ("", " ", "\n\n", "a", PROSE, "的" * 99, "\u0085\ufeff\0"):
        for step in every:
            if isinstance(step, Rule):
                assert isinstance(step.keeps(step.score(document(text))), bool)
            else:
                step.change(text)


def test_prose_passes_and_an_empty_text_does_not(config):
    rules = [step for step in steps(config()) if isinstance(step, Rule)]
    lines = [
        f"{PROSE}, said number {n}, who knows more about {n * 7}." for n in range(5)
    ]
    by_hand = document("\n".join(lines))
    dropped = [r.name for r in rules if not r.keeps(r.score(by_hand))]
    assert set(dropped) <= {"top_2_gram", "top_3_gram", "top_4_gram"} | {
        f"duplicate_{n}_grams" for n in range(5, 11)
    }  # every line says the same
    assert math.isnan(next(r for r in rules if r.name == "symbols").score(document("")))


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([], True),
        (["data.filter.hosts.blocked=[example.org]"], False),
        (["data.filter.hosts.blocked=[ample.org]"], True),
        (["data.filter.hosts.allowed=[news.example.org]"], True),
        (["data.filter.hosts.allowed=[other.org]"], False),
        (
            [
                "data.filter.hosts.allowed=[example.org]",
                "data.filter.hosts.blocked=[news.example.org]",
            ],
            False,
        ),
    ],
)
def test_a_host_stands_for_its_subdomains(rule, words, kept):
    found = rule("hosts", *words)
    assert found.keeps(found.score(document("a"))) is kept


@pytest.mark.parametrize(
    ("words", "text", "kept"),
    [
        (["blocked=[casino]"], "A Casino.", False),
        (["blocked=[casino]"], "casinos", True),
        (["blocked=[free money]"], "so free money!", False),
        (["required=[physics,chemistry]"], "Chemistry", True),
        (["required=[physics]"], "biology", False),
        (["blocked=[a]", "maximum=2"], "a b a", True),
    ],
)
def test_keywords_are_whole_words_or_phrases(rule, words, text, kept):
    found = rule("keywords", *(f"data.filter.keywords.{word}" for word in words))
    assert found.keeps(found.score(document(text))) is kept


def test_the_content_type_may_have_parameters(rule):
    found = rule("content_type")
    kinds = ["text/plain", "Text/Plain; charset=utf-8", "", "application/pdf"]
    scores = [found.score(document("a", content_type=kind)) for kind in kinds]
    assert scores == [1, 1, 1, 0]


def test_lines_of_furniture_are_taken_out(rule):
    text = (
        "Home\nThis is a line of prose [12] here\n\nWe use cookies on this page\nend ."
    )
    change = rule("lines").change
    assert change(text) == "This is a line of prose  here\n"
    ends = rule("lines", "data.filter.lines.ends_in_punctuation=true").change
    assert ends("A line of prose\nA line of prose.") == "A line of prose."


def test_addresses_are_masked_and_nothing_that_looks_like_one(rule):
    mask = rule("masks", "data.filter.masks.kinds=[email,ip]").change
    text = (
        "Write to a.b+c@mail.example.co.uk or 8.8.8.8 at 12:30:45, or 2001:4860::8888."
    )
    assert mask(text) == (
        "Write to email@example.com or 192.0.2.1 at 12:30:45, or 192.0.2.1."
    )
    for same in ("10.0.0.1", "version 1.2.3.4.5", "999.1.1.1", "a::b", "@home"):
        assert mask(same) == same
    assert rule("masks").change(text) == text


def test_rules_of_words_are_left_out_where_no_spaces_are_written(config):
    names = {step.name for step in steps(config("data.language=zh"))}
    assert {"language", "duplicate_lines", "characters"} <= names
    assert not names & {"words", "stop_words", "duplicate_5_grams", "lines"}


def test_stop_words_are_asked_of_their_language_only(rule):
    german = rule("stop_words", "data.language=de")
    assert german.keeps(german.score(document("Der Hund")))
    assert not rule("stop_words").keeps(german.score(document("Der Hund")))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data.language=xx"], "data.language=xx is no language of lid.176's"),
        (["data.language=eng"], "did you mean en?"),
        (["+data.filter.wrds.minimum=1"], "did you mean data.filter.words?"),
        (["+data.filter.words.maxmum=1"], "means nothing; did you mean"),
        (["data.filter.words.minimum=lots"], "data.filter.words.minimum=lots"),
        (["data.filter.words.minimum=200_000"], "is more than its maximum=100000"),
        (["data.minimum_characters=9", "data.maximum_characters=8"], "no document"),
        (["data.filter.words=5"], "is not a rule's numbers"),
        (["~data.filter.words.minimum"], "data.filter.words.minimum is missing"),
        (["data.filter.masks.kinds=[name]"], "data.filter.masks.kinds=['name']"),
        (["data.filter.classifier=nowhere"], "is no run's folder"),
    ],
)
def test_a_mistake_is_one_sentence(config, words, said):
    with pytest.raises(UserError) as error:
        check_filter(config(*words))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
