import torch

from nnlab.generate.options import Options
from nnlab.generate.sample import LOOK_EVERY, sample
from nnlab.generate.window import same_prompt


def drawn(model, options, prompt=(1, 2), rows=1, **other) -> list[list[int]]:
    start = same_prompt(list(prompt), rows, torch.device("cpu"))
    tokens = list(sample(model, start, options, **{"end": None, **other}))
    return torch.stack(tokens, dim=1).tolist()


def test_gives_as_many_tokens_as_asked_for(model):
    assert len(drawn(model, Options(max_tokens=37))[0]) == 37


def test_temperature_zero_takes_the_most_probable(model):
    text = [1, 2]
    for _ in range(6):
        text.append(int(model(torch.tensor([text]))[0, -1].argmax()))
    assert drawn(model, Options(max_tokens=6, temperature=0)) == [text[2:]]


def test_temperature_zero_is_top_k_of_one_is_a_temperature_near_zero(model):
    greedy, one, cold = (
        drawn(model, Options(max_tokens=60, **way))
        for way in ({"temperature": 0}, {"top_k": 1}, {"temperature": 1e-5})
    )
    assert greedy == one == cold


def test_cache_changes_no_token_within_and_beyond_the_context(model):
    for stride in (None, 1, 3, 10, 99):
        options = Options(max_tokens=100, temperature=1.0, stride=stride)
        cached, uncached = (
            drawn(model, options, rows=3, is_cached=is_cached)
            for is_cached in (True, False)
        )
        assert cached == uncached


def test_cache_reads_each_token_about_once(model):
    drawn(model, Options(max_tokens=1000, stride=5))
    cached, model.read = model.read, 0
    drawn(model, Options(max_tokens=1000, stride=5), is_cached=False)
    # Every fifth token five old ones are read again.
    assert cached < 2.1 * 1000 < 7 * 1000 < model.read


def test_prompt_longer_than_the_context_is_seen_from_its_end(model):
    prompt = [each % 8 for each in range(33)]
    options = Options(max_tokens=20, temperature=1.0, stride=1)
    [text] = drawn(model, options, prompt)
    assert [text] == drawn(model, options, prompt[-10:])
    assert [text] == drawn(model, options, prompt, is_cached=False)


def test_model_without_a_cache_speaks_too(model):
    options = Options(max_tokens=30)
    expected = drawn(model, options)
    model.new_cache = lambda batch_size, *, stride: None
    assert drawn(model, options) == expected


def test_seed_reproduces_and_another_differs(model):
    first, again, other = (
        drawn(model, Options(max_tokens=40, temperature=1.0, seed=seed))
        for seed in (7, 7, 8)
    )
    assert first == again != other


def test_several_at_once_equal_one_by_one_with_their_seeds(model):
    together = drawn(model, Options(max_tokens=40, seed=5), rows=4)
    alone = [drawn(model, Options(max_tokens=40, seed=seed))[0] for seed in range(5, 9)]
    assert together == alone


def test_draws_leave_the_global_random_numbers_alone(model):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    drawn(model, Options(max_tokens=10))
    assert torch.rand(1) == expected


def test_nothing_but_the_end_follows_the_end(model):
    rows = drawn(model, Options(max_tokens=60, temperature=1.0), rows=6, end=0)
    assert any(0 in row for row in rows)
    for row in rows:
        if 0 in row:
            assert set(row[row.index(0) :]) == {0}


def test_stops_soon_after_all_have_ended(model):
    options = Options(max_tokens=400, temperature=1.0)
    rows = drawn(model, options, rows=3, end=0)
    ends = [row.index(0) for row in rows]
    assert len(rows[0]) <= max(ends) + LOOK_EVERY < 400


def test_penalty_weighs_prompt_and_text_alike(model):
    text = [1, 2]
    for _ in range(8):
        logits = model(torch.tensor([text]))[0, -1].tolist()
        for token in set(text):
            logits[token] *= 3 if logits[token] < 0 else 1 / 3
        text.append(logits.index(max(logits)))
    options = Options(max_tokens=8, temperature=0, repetition_penalty=3)
    assert drawn(model, options) == [text[2:]]
    assert drawn(model, Options(max_tokens=8, temperature=0)) != [text[2:]]


def test_texts_may_go_on_from_different_prompts(model):
    prompts = torch.tensor([[1, 2, 3], [4, 5, 6]])
    options = Options(max_tokens=12, temperature=0)
    both = torch.stack(list(sample(model, prompts, options, end=None)), 1).tolist()
    assert both == [
        *drawn(model, options, (1, 2, 3)),
        *drawn(model, options, (4, 5, 6)),
    ]


def test_what_is_no_text_is_never_drawn(model):
    options = Options(max_tokens=300, temperature=3.0)
    assert set(drawn(model, options)[0]) == set(range(8))
    assert set(drawn(model, options, never=[0, 5])[0]) == {1, 2, 3, 4, 6, 7}
