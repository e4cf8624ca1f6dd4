import json

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from nnlab.errors import UserError
from nnlab.tokenizer.gpt2 import Gpt2
from nnlab.tokenizer.restore import tokenizer_from_state

HARD = (
    "Hello world! I'll  we've\n\n\t don't 12345 naïve 你好 \U0001f600\u200d "
    "<|endoftext|>\r\n   x_y  \u00a0end  "
)


@pytest.fixture
def folder(real_data):
    if not (real_data / "gpt2/encoder.json").is_file():
        pytest.skip("needs gpt2/encoder.json")
    return real_data


@pytest.fixture
def gpt2(folder):
    tokenizer = Gpt2(data_dir=str(folder))
    tokenizer.train([])
    return tokenizer


@pytest.fixture
def reference(folder):
    """Hugging Face's GPT-2, from the file of ids that OpenAI published beside."""
    vocabulary = json.loads((folder / "gpt2/encoder.json").read_bytes())
    merges = (folder / "gpt2/vocab.bpe").read_text(encoding="utf-8").splitlines()[1:]
    pairs = [tuple(merge.split(" ")) for merge in merges]
    other = Tokenizer(models.BPE(vocabulary, pairs))
    other.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return other


@pytest.mark.real_data
def test_ids_are_those_of_hugging_face(gpt2, reference, folder):
    play = (folder / "shakespeare/input.txt").read_text(encoding="utf-8")
    for text in (HARD, play[:200_000]):
        assert gpt2.encode(text) == reference.encode(text).ids
        assert gpt2.decode(gpt2.encode(text)) == text


@pytest.mark.real_data
def test_ids_are_the_published_ones(gpt2):
    assert gpt2.encode("Hello world") == [15496, 995]
    assert gpt2.special == {"end_of_text": 50256}
    assert gpt2.vocabulary_size == 50257
    assert gpt2.decode([50256]) == "<|endoftext|>"
    assert 50256 not in gpt2.encode("<|endoftext|>")
    assert gpt2.encode_array("Hello").dtype == "uint16"


@pytest.mark.real_data
def test_a_checkpoint_needs_no_file(gpt2):
    restored = tokenizer_from_state(gpt2.state())
    assert restored.encode(HARD) == gpt2.encode(HARD)
    assert restored.fingerprint() == gpt2.fingerprint()


@pytest.mark.real_data
def test_nothing_is_too_long(gpt2):
    for text in (" " * 100_000, "a" * 100_000, "\n" * 100_000):
        assert gpt2.decode(gpt2.encode(text)) == text


def test_without_file_and_network_the_sentence_names_url_and_place(
    tmp_path, monkeypatch
):
    import urllib.request

    class Opener:
        def open(self, url, timeout):
            raise OSError("no route to host")

    monkeypatch.setattr(urllib.request, "build_opener", lambda *_: Opener())
    with pytest.raises(UserError) as error:
        Gpt2(data_dir=str(tmp_path)).train([])
    assert "vocab.bpe is missing" in str(error.value)
    assert "https://openaipublic.blob.core.windows.net" in str(error.value)
    assert str(tmp_path / "gpt2") in str(error.value)


def test_another_file_of_that_name_is_refused(tmp_path):
    (tmp_path / "gpt2").mkdir()
    (tmp_path / "gpt2/vocab.bpe").write_text("#version: 0.2\na b\n")
    with pytest.raises(UserError, match="is not the published file: its SHA-256"):
        Gpt2(data_dir=str(tmp_path)).train([])
