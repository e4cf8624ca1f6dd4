import random

import pytest
import torch
from lightning.fabric.utilities.types import _Stateful

from nnlab.batches import Batches, mix


def served(batches):
    return [index.tolist() for (index,) in batches]


def make(items, **keywords):
    return Batches((torch.arange(items),), **keywords)


def flat(lists):
    return [item for part in lists for item in part]


def test_an_epoch_serves_each_example_once():
    batches = make(10, batch_size=4, seed=1)
    assert [len(batch) for batch in served(batches)] == [4, 4, 2]
    assert len(batches) == 3
    assert sorted(flat(served(batches))) == list(range(10))


def test_tensors_stay_row_by_row_together():
    index = torch.arange(50)
    for left, right in Batches((index, index * 7), batch_size=8, seed=3):
        assert torch.equal(left * 7, right)


def test_the_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        batches = make(100, batch_size=10, seed=seed)
        batches.set_epoch(epoch)
        return served(batches)

    assert order(1, 2) == order(1, 2)
    assert order(1, 2) != order(1, 3) != order(2, 3)
    assert order(1, 2) != order(2, 1)


def test_without_a_seed_the_order_is_that_of_the_tensors():
    assert flat(served(make(7, batch_size=3))) == list(range(7))


def test_repeats_go_through_the_table_in_a_new_order_each_time():
    rounds = served(make(8, batch_size=8, seed=0, repeats=5))
    assert all(sorted(one) == list(range(8)) for one in rounds)
    assert len({tuple(one) for one in rounds}) > 1


@pytest.mark.parametrize("position", [0, 1, 5, 10])
def test_resuming_gives_the_tail_of_the_undisturbed_epoch_and_of_no_other(position):
    undisturbed, resumed = (make(95, batch_size=10, seed=4) for _ in range(2))
    resumed.resume(epoch=3, position=position)
    for epoch in range(5):
        undisturbed.set_epoch(epoch)
        resumed.set_epoch(epoch)
        skipped = position if epoch == 3 else 0
        assert served(resumed) == served(undisturbed)[skipped:]


def all_ranks(items, *, ranks, **keywords):
    return [
        served(make(items, rank=rank, ranks=ranks, **keywords)) for rank in range(ranks)
    ]


def random_sizes(cases=200):
    numbers = random.Random(0)
    for _ in range(cases):
        ranks = numbers.randint(1, 5)
        yield numbers.randint(ranks, 60), ranks, numbers.randint(1, 12)


def test_in_evaluation_ranks_share_every_example_once_in_batches_never_empty():
    for items, ranks, batch_size in random_sizes():
        served_by = all_ranks(items, ranks=ranks, batch_size=batch_size)
        assert sorted(flat(flat(served_by))) == list(range(items))
        assert len({len(batches) for batches in served_by}) == 1
        assert all(
            0 < len(b) <= batch_size + 1 for batches in served_by for b in batches
        )


def test_in_training_ranks_serve_every_example_once_in_batches_of_one_size():
    for items, ranks, batch_size in random_sizes():
        served_by = all_ranks(items, ranks=ranks, batch_size=batch_size, seed=items)
        assert sorted(flat(flat(served_by))) == list(range(items))
        assert len({len(batches) for batches in served_by}) == 1
        for *whole, last in served_by:
            assert {len(batch) for batch in whole} <= {batch_size}
            assert last


def test_the_weighed_means_of_ranks_average_to_the_mean_of_the_whole_batch():
    for items, ranks, batch_size in random_sizes():
        parts = [
            make(items, rank=rank, ranks=ranks, batch_size=batch_size, seed=1)
            for rank in range(ranks)
        ]
        for position, batches in enumerate(zip(*map(served, parts), strict=True)):
            mean = sum(
                part.share(position) * sum(batch) / len(batch)
                for part, batch in zip(parts, batches, strict=True)
            )
            whole = flat(batches)
            assert mean / ranks == pytest.approx(sum(whole) / len(whole))


def test_the_ranks_together_serve_what_one_process_of_the_whole_batch_would():
    ranks = all_ranks(70, ranks=2, batch_size=8, seed=5)
    one = served(make(70, batch_size=16, seed=5))
    assert [left + right for left, right in zip(*ranks, strict=True)] == one


def test_lightning_takes_them_for_able_to_continue_in_the_middle_of_an_epoch():
    batches = make(4, batch_size=2)
    assert isinstance(batches, _Stateful)
    batches.load_state_dict(batches.state_dict())


def test_mixed_seeds_are_all_different_and_fit_a_generator():
    seeds = {mix(a, b) for a in range(-1, 40) for b in range(40)}
    assert len(seeds) == 41 * 40
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("position", [0, 1, 6, 7, 8, 40])
def test_small_batches_are_gathered_together_as_if_one_by_one(position, monkeypatch):
    # a batch of 4 rows of 2 + 1 numbers holds 64 bytes: seven of them at a time
    monkeypatch.setattr("nnlab.batches.GATHERED_BYTES", 500)
    x, label = torch.randn(41, 2), torch.arange(41)
    batches = Batches((x, label), batch_size=4, seed=5, repeats=4)
    batches.resume(epoch=0, position=position)
    found = list(batches)
    assert len(found) == 41 - position
    for rows, index in found:
        assert torch.equal(rows, x[index])
    monkeypatch.setattr("nnlab.batches.GATHERED_BYTES", 1)
    for (_, together), (_, alone) in zip(found, batches, strict=True):
        assert torch.equal(together, alone)


@pytest.mark.parametrize("position", [1, 5, 9])
def test_a_batch_lies_where_it_lies_without_an_interruption(position):
    """A matrix product's last bit may depend on how its rows are aligned."""

    def places(start):
        batches = Batches((torch.randn(40, 3),), batch_size=4, seed=1)
        batches.resume(epoch=0, position=start)
        return [batch.storage_offset() for (batch,) in batches]

    assert places(position) == places(0)[position:]


def test_a_batch_may_be_changed_in_place_and_its_graph_kept():
    x, weight = torch.randn(12, 3), torch.ones(3, requires_grad=True)
    first, second = (batch for (batch,) in Batches((x.clone(),), batch_size=6))
    loss = (first * weight).square().sum()
    second.mul_(2)
    second += weight
    (loss + second.sum()).backward()
    assert torch.allclose(weight.grad, 2 * x[:6].square().sum(0) + 6)


def test_rows_without_numbers_are_served():
    assert len(list(Batches((torch.zeros(8, 0),), batch_size=2))) == 4
