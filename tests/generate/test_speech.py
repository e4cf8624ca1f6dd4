import pytest
import torch

from nnlab.errors import UserError
from nnlab.generate import speech
from nnlab.generate.options import Options
from nnlab.generate.speech import ending, evaluating, prompt_tokens, stream, texts


def with_end(letters, monkeypatch, end="c"):
    """Let a letter be the end of text."""
    monkeypatch.setattr(letters, "special", {"end_of_text": letters.letters.index(end)})
    return letters


def test_stream_adds_up_to_the_text(model, letters):
    options = Options(max_tokens=50)
    [whole] = texts(model, letters, "ab", options)
    assert "".join(stream(model, letters, "ab", options)) == whole.text
    assert len(whole.text) == 50


def test_stream_gives_the_first_token_before_the_last_is_drawn(model, letters):
    pieces = stream(model, letters, "ab", Options(max_tokens=500))
    assert len(next(pieces)) == 1
    assert model.read < 10


def test_text_ends_where_the_end_is_drawn(model, letters, monkeypatch):
    options = Options(max_tokens=200, temperature=1.0)
    [free] = texts(model, letters, "ab", options)
    ended = with_end(letters, monkeypatch)
    [text] = texts(model, ended, "ab", options)
    assert free.text.startswith(text.text + "c")
    assert "".join(stream(model, ended, "ab", options)) == text.text


def test_each_sample_names_the_seed_that_gives_it_alone(model, letters):
    found = texts(model, letters, "ab", Options(max_tokens=20, samples=3, seed=4))
    assert [each.origin for each in found] == ["seed 4", "seed 5", "seed 6"]
    [last] = texts(model, letters, "ab", Options(max_tokens=20, seed=6))
    assert last == found[2]


def test_more_samples_than_fit_at_once_are_the_same(model, letters, monkeypatch):
    options = Options(max_tokens=10, samples=7)
    expected = texts(model, letters, "ab", options)
    monkeypatch.setattr(speech, "AT_ONCE", 3)
    assert texts(model, letters, "ab", options) == expected


def test_beams_give_the_best_texts_in_order(model, letters):
    options = Options(max_tokens=10, beams=4, samples=3)
    found = texts(model, letters, "ab", options)
    scores = [float(each.origin.removeprefix("log probability ")) for each in found]
    assert scores == sorted(scores, reverse=True)
    assert len({each.text for each in found}) == 3


def test_without_a_prompt_begins_with_the_end_of_another_text(letters, monkeypatch):
    assert prompt_tokens(with_end(letters, monkeypatch), None) == [2]


def test_without_a_prompt_and_an_end_begins_with_a_new_line(letters, monkeypatch):
    monkeypatch.setattr(letters, "letters", "ab\n")
    assert prompt_tokens(letters, None) == [2]


def test_without_a_prompt_a_model_that_knows_no_new_line_asks_for_one(letters):
    with pytest.raises(UserError, match="give prompt="):
        prompt_tokens(letters, None)


def test_empty_prompt_is_refused(model, letters):
    with pytest.raises(UserError, match="prompt=''"):
        texts(model, letters, "", Options())


def test_unknown_characters_are_named(model, letters):
    with pytest.raises(UserError, match="'z'"):
        next(stream(model, letters, "abz", Options()))


def test_dropout_is_off_meanwhile_and_back_after(model):
    model.train()
    with evaluating(model):
        assert not model.training
    assert model.training
    model.eval()
    with evaluating(model):
        pass
    assert not model.training


def test_speaking_between_two_steps_of_training_changes_neither(model, letters):
    model.train()
    state = torch.get_rng_state()
    texts(model, letters, "ab", Options(max_tokens=5, samples=2))
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training


def test_unknown_and_padding_are_no_text(letters, monkeypatch):
    special = {"end_of_text": 6, "unknown": 4, "padding": 5}
    monkeypatch.setattr(letters, "special", special)
    assert ending(letters) == {"end": 6, "never": [4, 5]}
