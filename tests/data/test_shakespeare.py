import hashlib
import urllib.request

import pytest
import torch

from nnlab.data import shakespeare
from nnlab.errors import UserError

LINE = b"First Citizen:\nBefore we proceed any further, hear me speak.\n\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A play of a hundred speeches in Shakespeare's place; no network."""
    content = LINE * 100
    folder = tmp_path / "data/shakespeare"
    folder.mkdir(parents=True)
    (folder / "input.txt").write_bytes(content)
    monkeypatch.setattr(shakespeare, "SIZE", len(content))
    monkeypatch.setattr(shakespeare, "SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setenv("NNLAB_DATA", str(tmp_path / "data"))

    class Opener:
        def open(self, url, timeout):
            raise OSError("no route to host")

    monkeypatch.setattr(urllib.request, "build_opener", lambda *_: Opener())
    return folder / "input.txt"


def fault(build):
    with pytest.raises(UserError) as error:
        build("data=shakespeare", part="data").setup()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_last_tenth_is_validation_and_test(small, build):
    data = build("data=shakespeare", part="data")
    data.setup()
    [train], [validation], [test] = data.splits
    assert len(train) == int(0.9 * 6200)
    assert data.tokenizer.decode(validation.tolist()).encode() == (LINE * 10)
    assert torch.equal(validation, test)


def test_half_of_it_can_be_held_out(small, build):
    shares = ["data.validation_share=0.05", "data.test_share=0.05"]
    data = build("data=shakespeare", *shares, part="data")
    data.setup()
    assert [len(ids) for (ids,) in data.splits] == [5580, 310, 310]


def test_without_file_and_network_the_sentence_names_url_and_place(small, build):
    small.unlink()
    sentence = fault(build)
    assert shakespeare.URL in sentence
    assert str(small.parent) in sentence
    assert "no route to host" in sentence


def test_another_file_is_refused(small, build):
    small.write_bytes(small.read_bytes()[:-1] + b"?")
    sentence = fault(build)
    assert "SHA-256" in sentence
    assert "delete it" in sentence


@pytest.mark.real_data
def test_the_real_plays_are_split_as_nanogpt_splits_them(real_data, build):
    if not (real_data / "shakespeare/input.txt").is_file():
        pytest.skip("needs shakespeare/input.txt")
    data = build("data=shakespeare", part="data")
    assert data.facts() == {"vocabulary_size": 65, "context_size": 64}
    [train], [validation], _ = data.splits
    assert (len(train), len(validation)) == (1_003_854, 111_540)
    # the first ids of nanoGPT's train.bin and val.bin: "First Citi", "?\n\nGREMIO"
    text = (real_data / "shakespeare/input.txt").read_text(encoding="utf-8")
    table = {letter: index for index, letter in enumerate(sorted(set(text)))}
    assert train[:1000].tolist() == [table[letter] for letter in text[:1000]]
    assert validation.tolist() == [table[letter] for letter in text[1_003_854:]]
    assert data.bytes_per_token == {"train": 1.0, "val": 1.0, "test": 1.0}
