"""The reader of shards: every window once, for any number of ranks, resumed exactly."""

import numpy as np
import pytest
import torch

from nnlab.data._permutation import Permutation
from nnlab.data._shard_windows import OrderedWindows, Shards, ShuffledWindows

CONTEXT = 8
LENGTHS = (500, 30, 7, 211)  # one fills no window


@pytest.fixture
def shards():
    ends = np.cumsum(LENGTHS)
    rows = [
        np.arange(end - size, end, dtype=np.uint16)
        for end, size in zip(ends, LENGTHS, strict=True)
    ]
    return Shards(rows, CONTEXT)


def served(shards, rank=0, ranks=1, *, epochs=1, seed=3, batches=None, batch_size=4):
    loader = ShuffledWindows(
        shards,
        batch_size=batch_size,
        batches=batches,
        seed=seed,
        rank=rank,
        ranks=ranks,
    )
    found = []
    for epoch in range(epochs):
        loader.set_epoch(epoch)
        found += [batch for (batch,) in loader]
    return found


@pytest.mark.parametrize("length", [1, 2, 3, 10, 997, 4096, 5000])
def test_a_permutation_meets_each_place_once(length):
    found = Permutation(length, 1, 2)(np.arange(length))
    assert sorted(found.tolist()) == list(range(length))


def test_a_permutation_looks_drawn_at_random():
    length = 20_000
    found = Permutation(length, 0)(np.arange(length))
    assert abs(np.corrcoef(np.arange(length), found)[0, 1]) < 0.03
    steps = np.abs(np.diff(found))
    assert np.mean(steps) == pytest.approx(length / 3, rel=0.05)  # of two random places
    other = Permutation(length, 1)(np.arange(length))
    assert (found == other).sum() < 10  # one is expected


def test_a_round_serves_each_window_once_and_the_next_another_order(shards):
    windows = shards.windows()
    batches = served(shards, epochs=2, batches=windows, batch_size=1)
    rounds = [
        [int(b[0, 0]) for b in batches[:windows]],
        [int(b[0, 0]) for b in batches[windows:]],
    ]
    for starts in rounds:
        assert len(set(starts)) == windows
        gaps = np.diff(sorted(starts))
        assert (gaps >= CONTEXT).all()  # none overlaps another
    assert rounds[0] != rounds[1]
    assert sorted(rounds[0]) != sorted(rounds[1])  # cut at other places


def test_a_window_is_a_piece_of_one_shard(shards):
    for batch in served(shards):
        assert batch.dtype == torch.int64
        assert (batch.diff(dim=1) == 1).all()
        for window in batch:
            ends = np.searchsorted(
                np.cumsum(LENGTHS), window[[0, -1]].numpy(), side="right"
            )
            assert ends[0] == ends[1]


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_share_the_order_of_one_process(shards, ranks):
    alone = served(shards, batch_size=4 * ranks, batches=6)
    apart = [served(shards, rank, ranks, batches=6) for rank in range(ranks)]
    for whole, parts in zip(alone, zip(*apart, strict=True), strict=True):
        assert torch.equal(whole, torch.cat(parts))


def test_it_continues_in_the_middle_of_an_epoch(shards):
    loader = ShuffledWindows(shards, batch_size=4, batches=10, seed=3)
    loader.set_epoch(5)
    whole = [batch for (batch,) in loader]
    loader.resume(epoch=5, position=7)
    rest = [batch for (batch,) in loader]
    assert len(rest) == 3
    assert all(map(torch.equal, rest, whole[7:]))


def test_ordered_windows_predict_each_token_but_the_first_of_a_shard(shards):
    targets = [
        int(token)
        for (batch,) in OrderedWindows(shards, batch_size=5)
        for token in batch[:, 1:].flatten()
    ]
    firsts = np.cumsum([0, *LENGTHS])[:-1]
    short = set(range(530, 537))  # fills no window
    assert set(targets) == set(range(sum(LENGTHS))) - set(firsts.tolist()) - short


def test_fewer_windows_than_a_batch_are_served_again(shards):
    small = Shards([shards.rows[1]], CONTEXT)
    [batch] = served(small, batches=1, batch_size=7)
    assert len(batch) == 7
