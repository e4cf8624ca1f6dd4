import random

import pytest

from nnlab.generate.text_stream import TextStream


def decode_bytes(ids) -> str:
    return bytes(ids).decode(errors="replace")


def decode_words(ids) -> str:
    return " ".join(("to", "be", "or", "not")[each] for each in ids)


def streamed(decode, before, tokens) -> list[str]:
    stream = TextStream(decode, before)
    return [*(stream.add(token) for token in tokens), stream.end()]


def test_shows_a_character_once_all_its_bytes_are_there():
    pieces = streamed(decode_bytes, b"a", "é€😀!".encode())
    assert pieces == ["", "é", "", "", "€", "", "", "", "😀", "!", ""]


def test_shows_at_the_end_what_never_became_whole():
    assert (
        "".join(streamed(decode_bytes, b"", b"a\xe2\x82"))
        == "a\N{REPLACEMENT CHARACTER}"
    )


def test_puts_the_space_that_belongs_before_a_word():
    assert streamed(decode_words, [0, 1], [2, 3]) == [" or", " not", ""]


def test_adds_nothing_before_the_first_word_of_all():
    assert streamed(decode_words, [], [0, 1]) == ["to", " be", ""]


@pytest.mark.parametrize("seed", range(20))
def test_pieces_add_up_to_the_text(seed):
    chosen = random.Random(seed)
    text = "".join(chosen.choices("aé€😀 ", k=50)).encode()
    before, after = b"a" * 20, text
    pieces = streamed(decode_bytes, before, after)
    assert "".join(pieces) == text.decode()


def test_costs_the_same_for_each_token():
    lengths = []

    def decode(ids) -> str:
        lengths.append(len(ids))
        return decode_bytes(ids)

    streamed(decode, b"x" * 5000, b"y" * 5000)
    assert max(lengths) < 20
