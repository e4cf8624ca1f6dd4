import random

import numpy as np
import pytest

from nnlab.corpus.deduplicate import (
    EXACT,
    NEAR,
    UNIQUE,
    Copies,
    first_of_groups,
    judged,
)
from nnlab.corpus.fingerprint import BANDS, FINGERPRINT, ROWS, fingerprint

BOTH = Copies(exact=True, near=True)


def text(seed: int, words: int = 300) -> list[str]:
    draw = random.Random(seed)
    return [f"w{draw.randrange(5_000)}" for _ in range(words)]


def fingerprints(*texts: str):
    return np.stack([fingerprint(each) for each in texts]).view(FINGERPRINT)


def changed(words: list[str], places: int, seed: int) -> str:
    draw, words = random.Random(seed), list(words)
    for place in draw.sample(range(len(words)), places):
        words[place] = f"new{place}"
    return " ".join(words)


def shared_runs(a: str, b: str) -> float:
    """Return the Jaccard index of two texts' runs of five words."""
    runs = [{tuple(t.split()[i : i + 5]) for i in range(296)} for t in (a, b)]
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


def test_of_equal_texts_the_first_one_stays_whatever_case_and_signs():
    a, b = " ".join(text(1)), " ".join(text(2))
    every = fingerprints(b, a, a.upper(), a.replace(" ", ", \n"), b)
    assert judged(every, BOTH).tolist() == [UNIQUE, UNIQUE, EXACT, EXACT, EXACT]


def test_of_near_copies_the_first_one_stays():
    words = text(3)
    every = fingerprints(" ".join(words), " ".join(text(4)), changed(words, 3, 0))
    assert judged(every, BOTH).tolist() == [UNIQUE, UNIQUE, NEAR]
    assert not judged(every, Copies(exact=True, near=False)).any()


def test_bands_meet_as_often_as_theory_says():
    found, expected = 0, 0.0
    for seed in range(150):
        words = text(seed)
        a, b = " ".join(words), changed(words, 13, seed)
        share = shared_runs(a, b)
        expected += 1 - (1 - share**ROWS) ** BANDS
        left, right = fingerprints(a, b)
        found += bool((left["bands"] == right["bands"]).any())
    assert found == pytest.approx(expected, abs=20)  # over four standard deviations
    assert 30 < expected < 120


def test_the_order_of_copies_changes_no_number():
    words = [text(seed) for seed in range(30)]
    texts = [changed(each, 2, n) for each in words for n in range(3)]
    every = fingerprints(*texts)
    counts = [
        np.bincount(judged(every[order], BOTH), minlength=3).tolist()
        for order in (np.arange(90), np.arange(90)[::-1])
    ]
    assert counts[0] == counts[1] == [30, 0, 60]


def test_chinese_is_compared_by_characters():
    draw = random.Random(0)
    a = "".join(chr(0x4E00 + draw.randrange(3000)) for _ in range(400))
    every = fingerprints(a, a[:200] + "的" + a[200:], a[::-1])
    assert judged(every, BOTH).tolist() == [UNIQUE, NEAR, UNIQUE]


def test_no_document_is_no_fault():
    assert len(judged(np.zeros(0, FINGERPRINT), BOTH)) == 0
    assert fingerprint("").nbytes == FINGERPRINT.itemsize


@pytest.mark.parametrize("pairs", [0, 1, 30, 100, 400])
def test_groups_are_those_that_scipy_finds(pairs):
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    draw, size = np.random.default_rng(pairs), 200
    lefts, rights = draw.integers(0, size, (2, pairs))
    graph = coo_array((np.ones(pairs), (lefts, rights)), shape=(size, size))
    _, group = connected_components(graph, directed=False)
    first = np.unique(group, return_index=True)[1][group]
    assert first_of_groups(size, lefts, rights).tolist() == first.tolist()


def test_a_chain_of_copies_in_any_order_is_one_group():
    order = np.random.default_rng(0).permutation(1_000)
    assert not first_of_groups(1_000, order[1:], order[:-1]).any()
