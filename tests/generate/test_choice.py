import math

import pytest
import torch

from nnlab.generate.choice import (
    chances,
    draw,
    drawing_logits,
    keep_top_k,
    keep_top_p,
    penalise,
)
from nnlab.generate.options import Options


def logits_of(*probabilities: float) -> torch.Tensor:
    return torch.tensor([probabilities]).log()


def kept(logits: torch.Tensor) -> list[int]:
    return logits.isfinite().nonzero()[:, 1].tolist()


def test_penalty_divides_what_is_positive_and_multiplies_what_is_negative():
    logits = torch.tensor([[3.0, -1.0, 2.0, -2.0]])
    text = torch.tensor([[0, 1, 0]])
    by_hand = torch.tensor([[1.5, -2.0, 2.0, -2.0]])
    assert torch.equal(penalise(logits, text, 2.0), by_hand)


def test_penalty_of_one_changes_nothing():
    logits = torch.randn(2, 5)
    assert torch.equal(penalise(logits, torch.zeros(2, 1).long(), 1.0), logits)


def test_penalty_looks_at_each_text_on_its_own():
    logits = torch.ones(2, 3)
    penalised = penalise(logits, torch.tensor([[0], [2]]), 4.0)
    assert penalised.tolist() == [[0.25, 1, 1], [1, 1, 0.25]]


def test_top_k_keeps_the_largest_and_their_values():
    logits = torch.tensor([[1.0, 5.0, 3.0, 4.0]])
    assert keep_top_k(logits, 2).tolist() == [[-math.inf, 5, -math.inf, 4]]


def test_top_k_keeps_exactly_k_of_equals():
    assert len(kept(keep_top_k(torch.zeros(1, 7), 3))) == 3


def test_top_k_beyond_the_vocabulary_keeps_all():
    logits = torch.randn(3, 4)
    assert torch.equal(keep_top_k(logits, 50), logits)


@pytest.mark.parametrize(
    ("p", "expected"),
    [(0.3, [1]), (0.5, [1]), (0.51, [1, 3]), (0.81, [1, 3, 0]), (0.96, [0, 1, 2, 3])],
)
def test_top_p_keeps_the_fewest_that_reach_it(p, expected):
    logits = logits_of(0.15, 0.5, 0.05, 0.3)
    assert kept(keep_top_p(logits, p)) == sorted(expected)


def test_top_p_keeps_a_minimal_set_of_any_distribution():
    torch.manual_seed(0)
    logits = 3 * torch.randn(200, 30).double()
    for p in (0.1, 0.5, 0.9, 0.99):
        probability = logits.softmax(-1)
        inside = keep_top_p(logits, p).isfinite()
        mass = (probability * inside).sum(-1)
        least = probability.masked_fill(~inside, 2).amin(-1)
        most_outside = probability.masked_fill(inside, -1).amax(-1)
        assert (mass >= p).all()
        assert (mass - least < p).all()  # without its least member it would not do
        assert (least >= most_outside).all()


def test_top_p_of_one_keeps_all():
    logits = torch.randn(3, 4)
    assert torch.equal(keep_top_p(logits, 1.0), logits)


def test_top_p_is_of_what_temperature_and_top_k_left():
    # At temperature 1/2 probabilities are squared: 9, 4, 1 of 14 where 3, 2, 1 were.
    options = Options(temperature=0.5, top_k=2, top_p=9 / 13 - 1e-6)
    assert kept(drawing_logits(logits_of(3 / 6, 2 / 6, 1 / 6), options)) == [0]
    options = Options(temperature=0.5, top_k=2, top_p=9 / 13 + 1e-6)
    assert kept(drawing_logits(logits_of(3 / 6, 2 / 6, 1 / 6), options)) == [0, 1]


def test_draw_inverts_the_cumulative_distribution():
    logits = logits_of(0.25, 0.5, 0.25).expand(5, -1)
    chance = torch.tensor([0.0, 0.24, 0.26, 0.74, 0.76])
    assert draw(logits, chance).tolist() == [0, 0, 1, 1, 2]


def test_draw_never_gives_what_is_ruled_out():
    logits = torch.full((2, 6), -math.inf)
    logits[:, 2:4] = 0
    chance = torch.tensor([0.0, 1 - 2**-20])
    assert draw(logits, chance).tolist() == [2, 3]


def test_draws_have_the_frequencies_of_the_distribution():
    probabilities = torch.tensor([0.1, 0.2, 0.3, 0.4])
    chance = chances(range(1), 40_000)[:, 0]
    drawn = draw(probabilities.log().expand(40_000, -1), chance)
    counts = drawn.bincount(minlength=4) / 40_000
    assert (counts - probabilities).abs().max() < 0.01  # four standard deviations


def test_chances_belong_to_their_seed_alone():
    together = chances(range(3, 6), 10)
    alone = torch.cat([chances(range(seed, seed + 1), 10) for seed in (3, 4, 5)], 1)
    assert torch.equal(together, alone)
    assert len({tuple(column) for column in together.T.tolist()}) == 3
