import json

import pytest

from nnlab.corpus.commit import Output
from nnlab.corpus.document import Document
from nnlab.corpus.filter.rule import Change, Rule
from nnlab.corpus.sieve import SAMPLES, Sieve

STEPS = [
    Rule("characters", lambda d: len(d.text), minimum=3),
    Change("shout", str.upper),
    Rule(
        "vowels", lambda d: sum(map(d.text.count, "AEIOU")) / len(d.text), maximum=0.5
    ),
]


def documents(*texts):
    return [
        Document(t.encode(), url=f"http://{n}.org", offset=n)
        for n, t in enumerate(texts)
    ]


def test_a_document_counts_for_the_first_rule_that_it_fails():
    sieve = Sieve(STEPS)
    kept = [sieve.passes(d) for d in documents("a", "aeiou", "xyz", "sky", "")]
    assert kept == [False, False, True, True, False]
    counts = sieve.counts()
    assert (counts["kept"], counts["dropped"]) == (2, {"characters": 2, "vowels": 1})
    assert counts["changed"] == {"shout": {"documents": 3, "characters": 0}}
    assert sum(counts["lengths"]["all"]) == 5
    assert sum(counts["lengths"]["kept"]) == 2


def test_bounds_are_inside_and_nan_never_stays():
    rule = Rule("r", lambda d: 0.0, minimum=0.0, maximum=1.0)
    assert [rule.keeps(x) for x in (0.0, 1.0, -1e-9, 1.1, float("nan"))] == [
        1,
        1,
        0,
        0,
        0,
    ]


def test_scores_that_are_known_are_not_computed_again():
    sieve = Sieve([Rule("no", lambda d: pytest.fail("computed"), minimum=1)])
    assert [
        sieve.passes(d, [score])
        for d, score in zip(documents("a", "b"), (0, 1), strict=True)
    ] == [False, True]


def test_samples_do_not_depend_on_the_order(tmp_path):
    pages = documents(*(f"page {n} " + "b" * n for n in range(100)))
    found = []
    for order in (pages, pages[::-1]):
        sieve = Sieve([Rule("long", lambda d: len(d.text), maximum=60)])
        for each in order:
            sieve.passes(each)
        with Output(tmp_path, "s", 0, "k") as output:
            sieve.write_samples(output)
            output.commit({})
        found.append(json.loads((tmp_path / "s/00000.samples.json").read_text()))
    assert found[0] == {name: found[1][name] for name in found[0]}
    assert {name: len(each) for name, each in found[0].items()} == {
        "kept": SAMPLES,
        "long": SAMPLES,
    }
