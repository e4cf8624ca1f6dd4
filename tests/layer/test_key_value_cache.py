"""The window's places, against counting; equality of logits is tested with GPT."""

import pytest
import torch

from nnlab.layer.key_value_cache import KeyValueCache


def cache(stride: int, batch_size: int = 1) -> KeyValueCache:
    return KeyValueCache(
        batch_size=batch_size,
        layers=1,
        heads=1,
        head_size=1,
        context_size=4,
        stride=stride,
        like=torch.zeros(1),
    )


def seen(tokens, layers):
    """Return, as logits, how many tokens each one sees: itself and those before."""
    ones = tokens[:, None, :, None].float()
    everything, _ = layers[0].extend(ones, ones)
    first = everything.shape[2] - tokens.shape[1]
    return torch.arange(first, everything.shape[2])[None, :, None] + 1


@pytest.mark.parametrize(
    ("stride", "counts"),
    [
        (1, [1, 2, 3, 4, 4, 4, 4, 4, 4]),
        (2, [1, 2, 3, 4, 3, 4, 3, 4, 3]),
        (4, [1, 2, 3, 4, 1, 2, 3, 4, 1]),
        (9, [1, 2, 3, 4, 1, 2, 3, 4, 1]),
    ],
)
@pytest.mark.parametrize("chunks", [[9], [1] * 9, [3, 4, 2]])
def test_the_window_moves_on_by_its_stride_whatever_the_chunks(stride, counts, chunks):
    memory = cache(stride)
    parts = [memory.read(x, seen) for x in torch.arange(9)[None].split(chunks, dim=1)]
    assert torch.cat(parts, dim=1).flatten().tolist() == counts


def test_keeps_the_last_tokens_of_what_it_read():
    memory = cache(stride=2)
    memory.read(torch.arange(9)[None], seen)
    assert memory.window.tolist() == [[6, 7, 8]]
    assert memory.layers[0].keys.flatten()[:3].tolist() == [6, 7, 8]


def test_goes_on_with_the_rows_it_is_told():
    memory = cache(stride=1, batch_size=3)
    memory.read(torch.tensor([[1, 2], [3, 4], [5, 6]]), seen)
    memory.select(torch.tensor([2, 0, 0, 1]))
    assert memory.window.tolist() == [[5, 6], [1, 2], [1, 2], [3, 4]]
    assert memory.layers[0].keys[:, 0, :2, 0].tolist() == memory.window.tolist()
