"""The kinds that Hugging Face's library trains, against that library and by hand."""

import random
from collections import Counter

import pytest
import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from nnlab.tokenizer._byte_pairs import PATTERN
from nnlab.tokenizer._pieces import WORD
from nnlab.tokenizer.bpe import Bpe
from nnlab.tokenizer.unigram import Unigram, settled
from nnlab.tokenizer.word import Word
from nnlab.tokenizer.wordpiece import WordPiece

NUMBERS = random.Random(0)
WORDS = ["".join(NUMBERS.choices("abcde", k=NUMBERS.randint(1, 6))) for _ in range(300)]
TEXT = " ".join(NUMBERS.choices(WORDS, k=5000))
OTHER = " ".join("".join(NUMBERS.choices("abcdef \n12'.é", k=9)) for _ in range(500))


def test_byte_pairs_have_the_ids_that_hugging_face_gives_them():
    ours = Bpe(vocabulary_size=600, special=())
    ours.train([TEXT])
    other = tokenizers.Tokenizer(models.BPE())
    other.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, min_frequency=2, initial_alphabet=alphabet, show_progress=False
    )
    other.train_from_iterator([TEXT], trainer)
    spans = {text: other.encode(text).offsets for text in (TEXT, OTHER)}
    for text, expected in spans.items():
        found, place = [], 0
        ids = ours.encode(text)
        for length in (len(ours._encoding.decode_single_token_bytes(i)) for i in ids):
            found.append((place, place + length))
            place += length
        if text.isascii():  # offsets count characters there, bytes here
            assert found == expected
        assert len(found) == len(expected)
    assert ours.vocabulary_size == other.get_vocab_size() > 500


def test_byte_pairs_merge_the_most_frequent_neighbours_first():
    ours = Bpe(vocabulary_size=258, special=())
    ours.train(["aab aab aab ab"])  # "ab" four times, then "aab" three times
    assert ours.merges == ["a b", "a ab"]
    assert ours.decode([256]) == "ab"


def test_training_ends_where_no_neighbours_come_twice():
    ours = Bpe(vocabulary_size=1000, special=("end_of_text",))
    ours.train(["abcdefg"])
    assert ours.merges == []
    assert ours.vocabulary_size == 257
    assert ours.special == {"end_of_text": 256}


def test_the_most_frequent_words_are_kept():
    ours = Word(vocabulary_size=21, special=("unknown",))
    ours.train([TEXT])
    expected = {word for word, _ in Counter(WORD.findall(TEXT)).most_common(20)}
    assert set(ours.pieces[1:]) == expected
    assert ours.special == {"unknown": 0}


def test_words_are_cut_into_the_longest_pieces_from_the_left():
    ours = WordPiece(vocabulary_size=150, special=("unknown",))
    ours.train([TEXT])

    def cut(word):
        pieces, start = [], 0
        while start < len(word):
            end = next(
                end
                for end in range(len(word), start, -1)
                if ("##" * (start > 0) + word[start:end]) in ours.pieces
            )
            pieces.append("##" * (start > 0) + word[start:end])
            start = end
        return pieces

    for word in WORD.findall(TEXT)[:400]:
        assert [ours.pieces[index] for index in ours.encode(word)] == cut(word)


def test_a_unigram_cut_is_the_most_probable_of_all():
    ours = Unigram(vocabulary_size=100, special=("unknown",))
    ours.train([TEXT])
    score = dict(zip(ours.pieces, ours.scores, strict=True))

    def best(word):
        if not word:
            return 0.0
        heads = (word[:end] for end in range(1, len(word) + 1))
        return max(score[h] + best(word[len(h) :]) for h in heads if h in score)

    for word in WORD.findall(TEXT)[:100]:
        found = sum(ours.scores[index] for index in ours.encode(word))
        assert found == pytest.approx(best(word), abs=1e-6)


def test_made_up_scores_and_last_digits_do_not_depend_on_the_order():
    one = {"ab": -1.0, "c": -2.0, "x": -9.0, "y": -8.9999, "z": -8.9998}
    other = {"z": -9.0, "y": -8.9999, "x": -8.9998, "c": -2.0 + 4e-11, "ab": -1.0}
    assert settled(one) == settled(other)
    assert list(settled(one)) == list(settled(other)) == ["ab", "c", "x", "y", "z"]


def test_the_words_of_a_text_put_together_are_the_text():
    for text in (TEXT, OTHER, "  a  b\t\n ,!? #x_1 你好— ", ""):
        assert "".join(WORD.findall(text)) == text


def test_the_pattern_is_that_of_tiktoken():
    from tiktoken_ext.openai_public import r50k_pat_str

    assert r50k_pat_str == PATTERN
