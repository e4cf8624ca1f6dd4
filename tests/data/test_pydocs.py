from pydoc_data.topics import topics

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_it_is_every_topic_that_python_explains_once(build):
    documents = build("data=pydocs", part="data").documents()
    assert sorted(documents) == sorted(topics.values())
    assert topics["if"] in documents


def test_the_splits_are_the_topics_and_nothing_is_downloaded(build, monkeypatch):
    monkeypatch.setattr("urllib.request.build_opener", None)
    data = build("data=pydocs", part="data")
    data.setup()
    total = sum(len(topic) for topic in topics.values())
    sizes = [len(ids) for (ids,) in data.splits]
    assert sum(sizes) == total
    assert sizes[1] == pytest.approx(total * 0.05, abs=2)
    end = "".join(topics[name] for name in sorted(topics))[-200:]
    assert data.tokenizer.decode(data.splits.test[0].tolist()).endswith(end)


@pytest.mark.parametrize("kind", ["char_unknown", "byte", "word", "bpe"])
def test_every_tokenizer_can_be_chosen_for_it(build, kind):
    data = build("data=pydocs", f"tokenizer={kind}", part="data")
    facts = data.facts()
    assert facts["vocabulary_size"] == data.tokenizer.vocabulary_size > 90
