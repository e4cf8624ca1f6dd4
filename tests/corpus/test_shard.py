"""Tokens on disk: nothing lost, nothing twice, shuffled, no site on both sides."""

import json
from itertools import pairwise

import numpy as np
import pytest

from nnlab.tokenizer.restore import tokenizer_from_state


@pytest.fixture
def prepare(nnlab, tmp_path):
    def call(source, *words, tokenizer="byte"):
        usual = {
            **{"data": "common_crawl", "data.source": source, "data.folder": "out"},
            **{"data.language": "null", "tokenizer": tokenizer, "executor": "serial"},
            "data.shard.validation_share": "0.4",
        }
        given = dict(word.split("=", 1) for word in words)
        return nnlab("prepare", *(f"{k}={v}" for k, v in (usual | given).items()))

    return call


def documents(folder) -> dict[str, list[list[str]]]:
    """Return the texts of each shard, in their order, decoded; by split."""
    manifest = json.loads((folder / "manifest.json").read_text())
    tokenizer = tokenizer_from_state(
        json.loads((folder / "tokenizer.json").read_text())
    )
    found: dict[str, list[list[str]]] = {"train": [], "validation": []}
    for shard in manifest["shards"]:
        ends_file, ids_file = sorted(shard["files"], key=lambda n: ".ends." not in n)
        ids = np.fromfile(folder / ids_file, tokenizer.dtype)
        ends = np.fromfile(folder / ends_file, "<i8")
        assert len(ids) == shard["tokens"] == (ends[-1] if len(ends) else 0)
        assert (ids[ends - 1] == tokenizer.special["end_of_text"]).all()
        texts = [
            tokenizer.decode(ids[a:b].tolist())
            for a, b in zip([0, *ends], ends - 1, strict=False)
        ]
        if "unknown" not in tokenizer.special:
            assert shard["bytes"] == sum(len(text.encode()) for text in texts)
        found[shard["split"]].append(texts)
    return found


@pytest.mark.parametrize("tokenizer", ["byte", "bpe", "word", "wordpiece"])
def test_every_document_is_in_one_shard_as_it_was(
    prepare, wets, wet, tmp_path, tokenizer
):
    words = ["data.shard.tokens=1_000"]
    words += [] if tokenizer == "byte" else ["tokenizer.vocabulary_size=400"]
    answer = prepare(wets(3, 12), *words, tokenizer=tokenizer)
    assert answer.status == 0, answer.err
    found = documents(tmp_path / "out")
    every = [text for shards in found.values() for each in shards for text in each]
    if tokenizer in ("byte", "bpe"):
        assert sorted(every) == sorted(wet.page(n) for n in range(36))
    assert len(every) == 36
    assert len(found["train"]) > 1


def test_no_host_is_on_both_sides(prepare, wets, wet, tmp_path):
    prepare(wets(3, 30))
    found = documents(tmp_path / "out")
    host = {wet.page(n): n % 9 for n in range(90)}
    hosts = {
        split: {host[text] for each in shards for text in each}
        for split, shards in found.items()
    }
    assert not hosts["train"] & hosts["validation"]
    assert hosts["train"] | hosts["validation"] == set(range(9))
    assert hosts["validation"]


def test_pages_of_one_host_are_split_too_where_pages_are_asked_for(
    prepare, wets, wet, tmp_path
):
    prepare(wets(3, 30), "data.shard.keeps_together=page")
    found = documents(tmp_path / "out")
    assert 20 < sum(map(len, found["validation"])) < 52  # 36 are expected of 90


def test_the_seed_shuffles_documents_of_all_files(prepare, wets, wet, tmp_path):
    source = wets(3, 30)
    orders = []
    for seed in (0, 1):
        prepare(source, f"seed={seed}", f"data.folder=s{seed}")
        [texts] = documents(tmp_path / f"s{seed}")["train"]
        orders.append([int(text.split()[1].rstrip(".")) for text in texts])
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]
    files = [n // 30 for n in orders[0]]
    changes = sum(a != b for a, b in pairwise(files))
    assert changes > len(files) / 3  # in the order of the files there would be two


def test_copies_are_dropped_and_counted(prepare, wets, wet, tmp_path):
    folder = wets(2, 20)
    again = [wet.record(wet.page(n), url=f"http://c{n}.org/") for n in range(5)]
    near = wet.page(7, 200).rsplit(" ", 1)[0] + " end."
    pair = [wet.record(text, url="http://n.org/") for text in (wet.page(7, 200), near)]
    (folder / "9.warc.wet.gz").write_bytes(wet.archive(*again, *pair))
    answer = prepare(folder)
    assert answer.status == 0, answer.err
    counts = json.loads((tmp_path / "out/manifest.json").read_text())["counts"]
    copies = {name: counts["dropped"][name] for name in ("exact_copy", "near_copy")}
    assert copies == {"exact_copy": 5, "near_copy": 1}
    assert counts["kept"] == 41


def test_a_tokenizer_is_trained_without_the_validation_text(prepare, wets, tmp_path):
    words = ["tokenizer.special=[unknown,end_of_text]"]
    source = wets(2, 20)
    assert prepare(source, *words, tokenizer="char").status == 0
    found = documents(tmp_path / "out")
    state = json.loads((tmp_path / "out/tokenizer.json").read_text())
    seen = {c for each in found["train"] for text in each for c in text}
    assert set(state["characters"]) == seen


def test_a_tokenizer_that_meets_the_unseen_is_refused_at_once(prepare, wets, tmp_path):
    answer = prepare(wets(1, 5), "tokenizer.special=[end_of_text]", tokenizer="char")
    assert answer.status == 2
    assert "give tokenizer.special=[unknown,end_of_text]" in answer.err
    assert not (tmp_path / "out").exists()


def test_nothing_to_train_a_tokenizer_on_is_one_sentence(prepare, wets, tmp_path):
    answer = prepare(wets(1, 5), "data.minimum_characters=900_000", tokenizer="bpe")
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert "no document is left to train the tokenizer on" in answer.err


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("data.shard.tokens=5", "data.shard.tokens=5 must be"),
        ("data.shard.keeps_together=site", "data.shard.keeps_together=site"),
        ("+data.shard.size=5", "data.shard.size is nothing"),
        ("data.deduplicate.near=2", "data.deduplicate.near=2 must be true or false"),
    ],
)
def test_a_mistake_is_one_sentence(prepare, wets, tmp_path, word, said):
    answer = prepare(wets(1, 5), word)
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert said in answer.err
