import pytest
import torch

from nnlab.windows import RandomWindows, SuccessiveWindows, window_places


def random_windows(tokens=1000, **keywords):
    return RandomWindows(
        torch.arange(tokens).to(torch.uint16),
        **{"context_size": 8, "batch_size": 4, "batches": 6, "seed": 1, **keywords},
    )


def successive(tokens, **keywords):
    return SuccessiveWindows(
        torch.arange(tokens), **{"context_size": 8, "batch_size": 4, **keywords}
    )


def served(loader):
    return [window for (window,) in loader]


def test_a_window_is_a_stretch_of_the_row_and_one_token_more():
    for window in served(random_windows()):
        assert window.dtype == torch.int64
        assert window.shape == (4, 9)
        assert (window.diff(dim=1) == 1).all()


def test_windows_begin_everywhere_and_nowhere_beyond():
    loader = random_windows(tokens=12, batch_size=50)
    starts = torch.cat(served(loader))[:, 0]
    assert starts.unique().tolist() == [0, 1, 2, 3]
    assert torch.cat(served(random_windows(tokens=9)))[:, 0].unique().tolist() == [0]


def test_an_epoch_is_as_long_as_said_and_a_function_of_seed_and_epoch():
    def epoch(seed, number):
        loader = random_windows(seed=seed)
        loader.batch_sampler.sampler.set_epoch(number)
        assert len(loader) == len(served(loader)) == 6
        return torch.stack(served(loader))

    assert torch.equal(epoch(1, 2), epoch(1, 2))
    assert not torch.equal(epoch(1, 2), epoch(2, 1))
    assert not torch.equal(epoch(1, 2), epoch(1, 3))
    assert not torch.equal(epoch(1, 2)[0], epoch(1, 2)[1])


@pytest.mark.parametrize("position", [0, 1, 5, 6])
def test_resuming_gives_the_tail_of_the_undisturbed_epoch_and_of_no_other(position):
    undisturbed, resumed = random_windows(), random_windows()
    resumed.resume(epoch=3, position=position)
    for epoch in range(5):
        undisturbed.set_epoch(epoch)
        resumed.set_epoch(epoch)
        expected = served(undisturbed)[position if epoch == 3 else 0 :]
        found = served(resumed)
        assert len(found) == len(expected)
        assert all(map(torch.equal, found, expected))


def test_the_ranks_together_serve_what_one_process_of_the_whole_batch_would():
    ranks = [random_windows(rank=rank, ranks=2) for rank in range(2)]
    one = random_windows(batch_size=8)
    for left, right, both in zip(*ranks, one, strict=True):
        assert torch.equal(torch.cat([left[0], right[0]]), both[0])
        assert not torch.equal(left[0], right[0])


@pytest.mark.parametrize("tokens", [9, 10, 16, 17, 18, 100, 105, 106])
def test_one_pass_predicts_every_token_but_the_first(tokens):
    windows = torch.cat(served(successive(tokens)))
    targets = windows[:, 1:].flatten().bincount(minlength=tokens)
    assert targets[0] == 0
    assert (targets[1:] >= 1).all()
    assert targets.sum() - (tokens - 1) < 8  # those that the last window shares
    assert (targets == 2).sum() == targets.sum() - (tokens - 1)


def test_places_lie_side_by_side():
    assert window_places(25, 8).tolist() == [0, 8, 16]
    assert window_places(27, 8).tolist() == [0, 8, 16, 18]
    assert window_places(9, 8).tolist() == [0]


def test_ranks_share_the_pass():
    ranks = [torch.cat(served(successive(200, rank=r, ranks=3))) for r in range(3)]
    places = torch.cat(ranks)[:, 0].sort().values
    assert torch.equal(places, window_places(200, 8))


def test_the_pass_has_the_same_order_in_every_epoch():
    loader = successive(100)
    first = torch.cat(served(loader))
    loader.set_epoch(7)
    assert torch.equal(torch.cat(served(loader)), first)
