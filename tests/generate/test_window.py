"""What the model sees, on GPT itself."""

import pytest
import torch

from nnlab.generate.beam_search import beam_search
from nnlab.generate.options import Options
from nnlab.generate.sample import sample
from nnlab.generate.window import Window


@pytest.fixture(params=["learned", "rotary", "sinusoidal"])
def gpt(build, request):
    torch.manual_seed(0)
    sizes = ("layers=2", "heads=4", "embedding_size=32", "context_size=12")
    model = build(
        "model=gpt",
        "model.vocabulary_size=30",
        f"model.positions={request.param}",
        "model.key_value_heads=2",
        *(f"model.{size}" for size in sizes),
    )
    for parameter in model.parameters():
        parameter.data.mul_(4)  # so that what was said matters
    return model.double().eval()


def test_is_the_last_of_the_text_moved_by_whole_strides(model):
    window = Window(model, torch.zeros(1, 1).long(), room=40, stride=4)
    starts = []
    for _ in range(30):
        starts.append(window.start)
        window.append(torch.zeros(1).long())
    assert starts[:10] == [0] * 10  # ten fit
    assert starts[10:14] == [4] * 4
    assert starts[14:18] == [8] * 4
    assert all(starts[n] <= n for n in range(30))


def test_moves_by_a_quarter_where_nothing_is_said(gpt):
    assert Window(gpt, torch.zeros(1, 1).long(), room=1, stride=None).stride == 3


def test_stride_of_one_is_nanogpt_s_crop(gpt):
    text = torch.randint(30, (2, 1), generator=torch.Generator().manual_seed(0))
    window = Window(gpt, text, room=40, stride=1)
    with torch.inference_mode():
        for _ in range(40):
            cropped = gpt(window.text[:, -12:])[:, -1]
            torch.testing.assert_close(window.logits(), cropped.float())
            window.append(cropped.argmax(-1))


@pytest.mark.parametrize("stride", [None, 1, 5, 12])
def test_cache_gives_the_logits_of_the_full_pass_beyond_the_context(gpt, stride):
    prompt = torch.randint(30, (3, 7), generator=torch.Generator().manual_seed(1))
    with_cache, without = (
        Window(gpt, prompt, room=50, stride=stride, is_cached=is_cached)
        for is_cached in (True, False)
    )
    with torch.inference_mode():
        for _ in range(50):
            logits = without.logits()
            torch.testing.assert_close(with_cache.logits(), logits)
            for window in (with_cache, without):
                window.append(logits.argmax(-1))


def test_gpt_says_the_same_with_and_without_its_cache(gpt):
    prompt = torch.randint(30, (4, 20), generator=torch.Generator().manual_seed(2))
    options = Options(max_tokens=60, temperature=1.0)
    cached, uncached = (
        torch.stack(list(sample(gpt, prompt, options, end=None, is_cached=each)))
        for each in (True, False)
    )
    assert torch.equal(cached, uncached)


def test_beams_take_their_parents_caches_with_them(gpt, monkeypatch):
    prompt, options = torch.tensor([3, 1, 4]), Options(max_tokens=30)
    cached, scores = beam_search(gpt, prompt, options, beams=5, end=None)
    monkeypatch.setattr(gpt, "new_cache", lambda batch_size, *, stride: None)
    uncached, expected = beam_search(gpt, prompt, options, beams=5, end=None)
    assert torch.equal(cached, uncached)
    torch.testing.assert_close(scores, expected)
