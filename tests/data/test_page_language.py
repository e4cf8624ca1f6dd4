import json

import numpy as np
import pytest
import torch

from nnlab.corpus.filter.page_vector import ORDERS, page_codes, page_vectors

TEXTS = {
    "de": ["Der Hund läuft durch den Wald.", "Wir gehen heute nicht nach Hause."],
    "en": ["The dog runs through the forest.", "We do not go home today."],
}


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for language, texts in TEXTS.items():
        lines = [f"{text} {number}" for number in range(40) for text in texts]
        (folder / f"{language}.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def data(build, source):
    words = ["data.lines_per_page=1", "data.features=64"]
    return build("data=page_language", f"data.source={source}", *words, part="data")


def test_it_offers_vectors_of_as_many_numbers_as_asked_and_a_class_a_language(data):
    assert data.facts() == {"input_size": 64, "classes": 2}
    assert data.class_names == ["de", "en"]
    vector, label = data.prepare(next(iter(data.train_dataloader())))
    assert (vector.shape, vector.dtype) == ((64, 64), torch.float32)
    assert set(label.tolist()) == {0, 1}


def test_no_page_is_in_two_splits_and_none_is_lost(data):
    splits = data.load()
    pages = [row.tobytes() for codes, _ in splits for row in codes.numpy()]
    assert len(pages) == len(set(pages)) == 160
    assert [len(codes) for codes, _ in splits] == [112, 16, 32]


def test_a_vector_counts_n_grams_as_one_does_by_hand():
    text, features = "Ab ab", 1 << 20  # so many that none collide
    [vector] = page_vectors(page_codes(text, 32)[None], features)
    padded = " ab ab "
    grams = [padded[i : i + n] for n in ORDERS for i in range(len(padded) - n + 1)]
    counts = sorted(grams.count(gram) for gram in set(grams))
    shares = np.array(counts) / len(grams)
    found = np.sort(vector[vector > 0] ** 2) / features
    np.testing.assert_allclose(found, shares, rtol=1e-5)


def test_what_stands_behind_a_text_changes_nothing():
    vectors = [page_vectors(page_codes("a text", size)[None], 128) for size in (16, 64)]
    np.testing.assert_array_equal(*vectors)


def test_a_network_learns_the_languages(nnlab, source, tmp_path):
    answer = nnlab(
        *("model=mlp", "data=page_language", f"data.source={source}", "folder=run"),
        *("data.lines_per_page=1", "data.features=256", "trainer.max_epochs=5"),
        *("logger=[]", "pictures=0"),
    )
    assert answer.status == 0, answer.err
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert result["metrics"]["test/accuracy"] == 1
    state = torch.load(tmp_path / "run/checkpoints/best.ckpt", weights_only=True)
    assert state["PageLanguage"]["languages"] == ["de", "en"]


def test_lines_of_json_are_read_too(build, tmp_path):
    file = tmp_path / "pages.jsonl"
    rows = [
        {"text": f"{text} {n}", "language": code}
        for n in range(20)
        for code, texts in TEXTS.items()
        for text in texts
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    data = build("data=page_language", f"data.source={file}", part="data")
    assert {name: len(each) for name, each in data.pages.items()} == {
        "de": 40,
        "en": 40,
    }
    file.write_text('{"text": "a"}')
    with pytest.raises(ValueError, match="line 1 is no JSON object with text and"):
        build("data=page_language", f"data.source={file}", part="data")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "data.source has no value"),
        (["data.source=nowhere"], "cannot be read"),
        (["data.source={source}", "data.languages=[fr,en]"], "names fr, but"),
        (["data.source={source}", "data.languages=[en]"], "needs two"),
        (["data.source={source}", "data.test_share=0"], "must be above 0"),
    ],
)
def test_a_mistake_is_one_sentence(nnlab, source, words, said):
    given = [word.format(source=source) for word in words]
    answer = nnlab("model=mlp", "data=page_language", *given)
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert said in answer.err
