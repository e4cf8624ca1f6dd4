import json
import math
import random
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from nnlab.errors import UserError


def sentence(draw, words):
    return " ".join(draw.choice(words) for _ in range(8)) + "."


@pytest.fixture
def prepared(nnlab, tmp_path):
    """Prepare a few lines of JSON with a tokenizer that needs no file."""
    words = "the crawl reads a page and keeps what people of that have on it".split()  # noqa: SIM905
    draw = random.Random(0)
    lines = [
        {
            "text": " ".join(sentence(draw, words) for _ in range(12)),
            "url": f"http://{n}.org",
        }
        for n in range(300)
    ]
    (tmp_path / "urls.jsonl").write_text("\n".join(map(json.dumps, lines)))
    answer = nnlab(
        *("prepare", "data=webtext", "data.source=urls.jsonl", "tokenizer=byte"),
        *("data.language=null", "executor=serial", "data.folder=out"),
        "data.shard.validation_share=0.1",
    )
    assert answer.status == 0, answer.err
    return tmp_path / "out"


def test_a_gpt_learns_from_the_shards(nnlab, prepared, tmp_path):
    answer = nnlab(
        *(
            "model=gpt",
            "data=common_crawl",
            f"data.folder={prepared}",
            "tokenizer=byte",
        ),
        *("model.layers=1", "model.embedding_size=32", "model.heads=2"),
        *(
            "trainer.max_epochs=2",
            "data.batches_per_epoch=100",
            "logger=[]",
            "folder=run",
        ),
    )
    assert answer.status == 0, answer.err
    rows = [
        json.loads(line)
        for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()
    ]
    losses = [row["val/loss"] for row in rows if "val/loss" in row]
    assert losses[-1] < losses[0] < 5.6  # ln 258


def test_what_is_not_prepared_is_said_so(nnlab):
    answer = nnlab("model=gpt", "data=common_crawl", "tokenizer=byte")
    assert answer.status == 2
    assert "is not prepared; nnlab prepare does it" in answer.err


def test_another_tokenizer_than_the_prepared_one_is_refused(nnlab, prepared):
    answer = nnlab(
        "model=gpt", "data=common_crawl", f"data.folder={prepared}", "tokenizer=bpe"
    )
    assert answer.status == 2
    assert "was prepared with tokenizer=byte, not bpe" in answer.err


def test_bits_per_byte_are_those_of_the_text(build, prepared):
    words = ["data=common_crawl", f"data.folder={prepared}", "tokenizer=byte"]
    data = build(*words, part="data")
    # a byte is a token, and each document has one more
    counts = data.manifest["shards"][0]
    loss = torch.tensor(math.log(2))
    expected = counts["tokens"] / (counts["tokens"] - counts["documents"])
    found = data.derived("train", {"loss": loss})["bits_per_byte"]
    assert found == pytest.approx(expected)


def test_training_and_validation_are_other_shards(build, prepared):
    words = ["data=common_crawl", f"data.folder={prepared}", "tokenizer=byte"]
    data = build(*words, "data.context_size=500", part="data")
    tokens, targets = data.prepare(next(iter(data.train_dataloader())))
    assert tokens.shape == targets.shape == (12, 500)
    assert (tokens[:, 1:] == targets[:, :-1]).all()
    found: dict[str, set[str]] = {}
    for split in ("train", "validation"):
        ids = [int(each) for row in getattr(data.splits, split) for each in row]
        found[split] = set(data.tokenizer.decode(ids).split("<|endoftext|>")[:-1])
    assert not found["train"] & found["validation"]
    assert sum(map(len, found.values())) == data.manifest["counts"]["kept"]


def test_an_empty_validation_split_is_one_sentence(nnlab, prepared, tmp_path):
    words = ("data=webtext", "data.source=urls.jsonl", "tokenizer=byte")
    answer = nnlab(
        *("prepare", *words, "data.language=null", "executor=serial"),
        *("data.folder=none", "data.shard.validation_share=0"),
    )
    assert answer.status == 0, answer.err
    answer = nnlab("model=gpt", *words, "data.folder=none", "trainer.max_epochs=1")
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert "has 0 tokens in its validation split" in answer.err
    assert "data.shard.validation_share above 0" in answer.err


def test_a_shard_that_was_cut_is_one_sentence(nnlab, prepared):
    file = prepared / "shard/00000.train.bin"
    file.write_bytes(file.read_bytes()[:-2])
    words = ("data=common_crawl", f"data.folder={prepared}", "tokenizer=byte")
    answer = nnlab("model=gpt", *words)
    assert (answer.status, answer.err.count("\n")) == (2, 1)
    assert "is missing or cut" in answer.err


def test_its_place_is_two_numbers_from_which_it_continues(build, prepared):
    words = ["data=common_crawl", f"data.folder={prepared}", "tokenizer=byte"]
    words += ["data.batches_per_epoch=9"]
    batches = []
    for place in ({}, {"epoch": 2, "position": 7}):
        data = build(*words, part="data")
        data.load_state_dict(place)
        loader = data.train_dataloader()
        loader.set_epoch(2)
        batches.append([batch for (batch,) in loader])
    assert len(batches[1]) == 2
    assert all(map(torch.equal, batches[0][7:], batches[1]))


APART = "data.separates_documents=true"


def test_batches_say_which_document_a_token_is_of_where_they_are_kept_apart(
    build, prepared
):
    words = ["data=common_crawl", f"data.folder={prepared}", "tokenizer=byte"]
    words += ["data.context_size=2000"]
    usual, apart = (build(*words, *more, part="data") for more in ((), (APART,)))
    window = next(iter(apart.train_dataloader()))
    assert len(usual.prepare(window)) == 2
    tokens, targets, documents = apart.prepare(window)
    assert all(map(torch.equal, usual.prepare(window), (tokens, targets)))
    end = apart.tokenizer.special["end_of_text"]
    before = (tokens == end).cumsum(dim=1) - (tokens == end).long()
    assert documents.max() > 0
    assert torch.equal(documents, before)


def test_a_gpt_learns_from_documents_kept_apart(nnlab, prepared, tmp_path):
    words = ("model=gpt", "data=common_crawl", f"data.folder={prepared}", APART)
    answer = nnlab(
        *(*words, "tokenizer=byte", "logger=[]", "folder=run"),
        *("model.layers=1", "model.embedding_size=32", "model.heads=2"),
        *("trainer.max_epochs=1", "data.batches_per_epoch=30"),
    )
    assert answer.status == 0, answer.err
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert result["metrics"]["test/loss"] < 5


def test_a_model_that_takes_no_mask_refuses_documents_kept_apart(build, prepared):
    words = ["data=common_crawl", f"data.folder={prepared}", "tokenizer=byte", APART]
    data = build(*words, part="data")
    data.trainer = SimpleNamespace(lightning_module=nn.Linear(1, 1))
    with pytest.raises(UserError, match=r"takes a mask, which Linear is not; give"):
        data.setup("fit")
