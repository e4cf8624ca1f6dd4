import math
from itertools import product
from types import SimpleNamespace

import pytest
import torch

from nnlab.generate.beam_search import beam_search
from nnlab.generate.options import Options
from nnlab.generate.sample import sample

PROMPT = [2, 0]


class NextToken(SimpleNamespace):
    """A table: which token follows which, with no thought of those before."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__(context_size=1, logits=logits)

    def new_cache(self, batch_size: int, *, stride: int | None = None) -> None:
        return None

    def __call__(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.logits[tokens]


def log_probability(model, text: tuple[int, ...]) -> float:
    tokens = torch.tensor([[*PROMPT, *text]])
    gains = model(tokens)[0].float().log_softmax(-1)
    return sum(float(gains[len(PROMPT) - 1 + i, t]) for i, t in enumerate(text))


def search(model, beams: int, max_tokens: int, end=None, prompt=PROMPT, **options):
    found = beam_search(
        model,
        torch.tensor(prompt),
        Options(max_tokens=max_tokens, **options),
        beams=beams,
        end=end,
    )
    return found[0].tolist(), found[1].tolist()


def test_with_enough_beams_is_the_exhaustive_search(tiny_model):
    texts, scores = search(tiny_model, beams=4**3, max_tokens=4)
    every = {
        text: log_probability(tiny_model, text) for text in product(range(4), repeat=4)
    }
    best = sorted(every, key=every.__getitem__, reverse=True)
    # The last step has 4 children of every text of three: the best of all 256.
    assert [tuple(text) for text in texts] == best[: 4**3]
    assert scores == pytest.approx([every[text] for text in best[: 4**3]], abs=1e-5)


def test_with_enough_beams_is_exhaustive_where_texts_end(tiny_model):
    end, length = 3, 4
    every = {}
    for text in product(range(4), repeat=length):
        cut = text[: text.index(end) + 1] if end in text else text
        every[cut] = log_probability(tiny_model, cut)
    best = sorted(every, key=every.__getitem__, reverse=True)
    texts, scores = search(tiny_model, beams=len(every), max_tokens=length, end=end)
    cut = [tuple(t[: t.index(end) + 1] if end in t else t) for t in texts]
    assert cut == best
    assert scores == pytest.approx([every[text] for text in best], abs=1e-5)
    assert sum(torch.tensor(scores).exp()).item() == pytest.approx(1, abs=1e-5)


def test_one_beam_is_greedy(model):
    prompt = torch.tensor([PROMPT])
    greedy = sample(model, prompt, Options(max_tokens=50, temperature=0), end=None)
    texts, _ = search(model, beams=1, max_tokens=50)
    assert texts == [[int(token) for token in greedy]]


def test_scores_are_the_log_probabilities_of_the_texts(tiny_model):
    texts, scores = search(tiny_model, beams=5, max_tokens=12)
    for text, score in zip(texts, scores, strict=True):
        assert score == pytest.approx(log_probability(tiny_model, text), abs=1e-4)
    assert scores == sorted(scores, reverse=True)
    assert len({tuple(text) for text in texts}) == 5


def test_finds_what_greedy_misses():
    # After 0 nothing is sure; after 1, which is a little less probable, 2 is.
    table = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 0], [6, 4, 0, 0], [1, 1, 1, 1.0]])
    model = NextToken(table.log())
    [greedy], _ = search(model, beams=1, max_tokens=2, prompt=[2])
    [best, *_], [score, *_] = search(model, beams=2, max_tokens=2, prompt=[2])
    assert greedy[0] == 0
    assert best == [1, 2]
    assert score == pytest.approx(math.log(0.4))


def test_more_beams_than_texts_leaves_the_rest_impossible(tiny_model):
    texts, scores = search(tiny_model, beams=10, max_tokens=1)
    assert sorted(text[0] for text in texts[:4]) == [0, 1, 2, 3]
    assert scores[4:] == [-torch.inf] * 6


def test_goes_beyond_the_context(model):
    texts, _ = search(model, beams=3, max_tokens=40)
    model.new_cache = lambda batch_size, *, stride: None
    assert texts == search(model, beams=3, max_tokens=40)[0]


def test_ends_when_every_text_has_ended(tiny_model):
    texts, _ = search(tiny_model, beams=2, max_tokens=400, end=3)
    assert len(texts[0]) < 400
    assert all(3 in text for text in texts)


def test_one_beam_is_greedy_under_a_penalty_too(model):
    options = {"max_tokens": 20, "repetition_penalty": 3.0}
    prompt = torch.tensor([PROMPT])
    greedy = sample(model, prompt, Options(**options, temperature=0), end=None)
    texts, _ = search(model, beams=1, **options)
    assert texts == [[int(token) for token in greedy]]
    assert texts != search(model, beams=1, max_tokens=20)[0]


def test_what_is_no_text_is_never_found(tiny_model):
    found, scores = beam_search(
        tiny_model,
        torch.tensor(PROMPT),
        Options(max_tokens=3),
        beams=8,
        end=None,
        never=[1, 3],
    )
    assert {tuple(text) for text in found.tolist()} == set(product((0, 2), repeat=3))
    assert scores.exp().sum().item() == pytest.approx(1, abs=1e-5)
