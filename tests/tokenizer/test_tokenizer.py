"""What every tokenizer promises, whatever its kind."""

import io
import json
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from nnlab.errors import UserError
from nnlab.tokenizer.bpe import Bpe
from nnlab.tokenizer.byte import Byte
from nnlab.tokenizer.char import Char
from nnlab.tokenizer.restore import OURS, tokenizer_from_state
from nnlab.tokenizer.tokenizer import SHOWN
from nnlab.tokenizer.unigram import Unigram
from nnlab.tokenizer.word import Word
from nnlab.tokenizer.wordpiece import WordPiece

LETTERS = "abcdefgh éß 你\U0001f600 \n\t.,#'\"<|>0123"
TEXT = (
    'The cat sat on the mat; the dog\'s cat did not.\n\nIt said: "## 42 times, no!"'
    f"\r\n  naïve   café — 你好 \U0001f600 <|endoftext|> <|unknown|>{LETTERS}\t"
) * 4
SIZE = {"vocabulary_size": 300, "special": ("end_of_text", "unknown")}
MAKE = {
    "char": lambda: Char(special=("end_of_text",)),
    "char_unknown": lambda: Char(special=("unknown",)),
    "byte": lambda: Byte(special=("end_of_text", "padding", "mask")),
    "word": lambda: Word(**SIZE),
    "bpe": lambda: Bpe(vocabulary_size=300, special=("end_of_text",)),
    "wordpiece": lambda: WordPiece(**SIZE),
    "unigram": lambda: Unigram(**SIZE),
}
kinds = pytest.mark.parametrize("kind", MAKE)


def trained(kind, text=TEXT):
    tokenizer = MAKE[kind]()
    tokenizer.train([text])
    return tokenizer


def shuffled(numbers):
    """Texts of the characters and words of the training text, in any order."""
    parts = [*LETTERS, "The", " cat", "##", "\n\n", "<|endoftext|>"]
    for length in (0, 1, 2, 5, 50):
        for _ in range(40):
            yield "".join(numbers.choices(parts, k=length))


@kinds
def test_decoding_gives_back_every_text_that_encoding_takes(kind):
    tokenizer = trained(kind)
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT
    taken = 0
    for text in shuffled(random.Random(0)):
        try:
            ids = tokenizer.encode(text)
        except UserError:
            assert kind in ("word", "wordpiece", "unigram")
            continue
        taken += 1
        assert tokenizer.decode(ids) == text
        assert all(0 <= index < tokenizer.vocabulary_size for index in ids)
    assert taken > (10 if kind == "word" else 150)


@kinds
def test_no_text_is_encoded_to_a_special_token(kind):
    tokenizer = trained(kind)
    special = set(tokenizer.special.values())
    assert len(special) == len(tokenizer.special) > 0
    assert special.isdisjoint(tokenizer.encode(TEXT))  # which has them written out


@kinds
def test_special_tokens_are_shown_when_decoded(kind):
    tokenizer = trained(kind)
    for name, index in tokenizer.special.items():
        assert tokenizer.decode([index]) == SHOWN[name]


@kinds
def test_a_checkpoint_that_holds_plain_data_only_gives_the_same_tokenizer(kind):
    tokenizer = trained(kind)
    file = io.BytesIO()
    torch.save({"tokenizer": tokenizer.state()}, file)
    file.seek(0)
    state = torch.load(file, weights_only=True)["tokenizer"]
    assert json.loads(json.dumps(state)) == state
    restored = tokenizer_from_state(state)
    assert type(restored) is type(tokenizer)
    assert restored.is_trained
    assert restored.special == tokenizer.special
    assert restored.vocabulary_size == tokenizer.vocabulary_size
    assert restored.fingerprint() == tokenizer.fingerprint()
    assert restored.encode(TEXT) == tokenizer.encode(TEXT)
    assert restored.decode(restored.encode(TEXT)) == TEXT


@kinds
def test_the_ids_are_the_same_as_an_array_of_the_smallest_type(kind):
    tokenizer = trained(kind)
    ids = tokenizer.encode_array(TEXT)
    assert ids.dtype == np.uint16
    assert ids.tolist() == tokenizer.encode(TEXT)
    assert tokenizer.encode_array("").shape == (0,)


@kinds
def test_half_a_character_is_refused_with_its_place(kind):
    with pytest.raises(UserError, match=r"'.udc80' at character 2"):
        trained(kind).encode("ab\udc80")


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from test_tokenizer import MAKE, TEXT
for kind, make in MAKE.items():
    tokenizer = make()
    tokenizer.train([TEXT])
    print(kind, tokenizer.fingerprint())
"""


def test_training_twice_gives_the_same_also_in_another_process():
    folder = __file__.rpartition("/")[0]
    here = "".join(f"{kind} {trained(kind).fingerprint()}\n" for kind in MAKE)
    there = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(folder=folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout == here


@pytest.mark.parametrize("kind", ["char", "word", "wordpiece", "unigram"])
def test_a_prompt_with_new_characters_is_refused_by_their_names(kind):
    with pytest.raises(UserError, match=r"'Z', 'ж' \(tokenizer=byte") as error:
        trained(kind).encode("The cat Zж")
    assert f"tokenizer={kind} has never seen" in str(error.value)
    assert "\n" not in str(error.value)


def test_words_never_seen_are_named_where_their_characters_are_known():
    with pytest.raises(UserError, match="' tac'"):
        trained("word").encode("The tac")


def test_a_held_out_text_gets_the_unknown_token_where_there_is_one():
    tokenizer = trained("char_unknown")
    ids = tokenizer.encode_array("aжb").tolist()
    assert ids[1] == tokenizer.special["unknown"] not in (ids[0], ids[2])
    assert tokenizer.decode(ids) == "a<|unknown|>b"
    with pytest.raises(UserError, match="'ж'"):
        tokenizer.encode("aжb")
    with pytest.raises(UserError, match="'ж'"):
        trained("char").encode_array("aжb")


def test_characters_are_numbered_by_code_point_as_in_nanogpt():
    tokenizer = Char(special=())
    tokenizer.train(["hello", "world"])
    table = {letter: index for index, letter in enumerate(sorted(set("helloworld")))}
    assert tokenizer.encode("drew") == [table[letter] for letter in "drew"]
    assert tokenizer.vocabulary_size == 7


def test_bytes_are_those_of_utf8():
    tokenizer = Byte(special=("end_of_text",))
    assert tokenizer.encode("aé你") == list("aé你".encode())
    assert tokenizer.special == {"end_of_text": 256}
    assert tokenizer.decode([0xE4, 0xBD]) == "�"


@pytest.mark.parametrize("kind", ["word", "wordpiece", "unigram"])
def test_pieces_need_an_unknown_token(kind):
    with pytest.raises(UserError, match=r"tokenizer\.special must hold unknown"):
        type(MAKE[kind]())(vocabulary_size=300, special=())


def test_a_vocabulary_too_small_for_the_characters_says_what_would_do():
    with pytest.raises(UserError, match="give at least 257"):
        Bpe(vocabulary_size=256, special=("end_of_text",))
    for cls in (WordPiece, Unigram):
        with pytest.raises(UserError, match="vocabulary_size=10 is too small") as error:
            cls(vocabulary_size=10, special=("unknown",)).train([TEXT])
        least = int(str(error.value).split()[-1])
        cls(vocabulary_size=least, special=("unknown",)).train([TEXT])


def test_an_unknown_kind_is_one_sentence():
    with pytest.raises(
        UserError, match="no tokenizer called 'chars'; did you mean char"
    ):
        tokenizer_from_state({"kind": "chars"})


def test_each_kind_is_the_name_of_its_option(build):
    for cls in OURS:
        made = build("data=pydocs", f"tokenizer={cls.kind}", part="data").tokenizer
        assert type(made) is cls
