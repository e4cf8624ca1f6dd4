"""Data of torch's own loaders, with workers or without a length, go on to the bit."""

import signal
from pathlib import Path

import pytest
import torch
from lightning import LightningDataModule
from reliability.bits import run_differences
from reliability.deadly import run_and_end
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

from nnlab.replay import Replay, remember_place

TRIAL = Path(__file__).parent / "reliability/trial"
NUMBERS = TensorDataset(torch.arange(20))
WORDS = (
    *("data=stream", "data.batches=6", "model.dropout=0.2", "trainer.max_epochs=2"),
    *("trainer.accumulate_grad_batches=2", "checkpoint_seconds=0", "pictures=0"),
    "logger=[]",
)


def batches_of(loader, *, epoch=0, seed=1, place=None):
    replay = Replay(loader, seed=seed, rank=0, epoch=lambda: epoch)
    if place is not None:
        replay.resume(epoch=epoch, position=place)
    return [batch.tolist() for (batch,) in replay]


@pytest.mark.parametrize("own", [None, torch.Generator()])
def test_the_order_is_a_function_of_seed_and_epoch(own):
    loader = DataLoader(NUMBERS, 3, shuffle=True, generator=own)
    first = batches_of(loader)
    torch.rand(7)
    assert batches_of(loader) == first
    assert batches_of(loader, epoch=1) != first
    assert batches_of(loader, seed=2) != first


@pytest.mark.parametrize("place", [0, 1, 4, 7])
def test_a_continued_epoch_has_the_batches_that_were_left(place):
    loader = DataLoader(NUMBERS, 3, sampler=RandomSampler(NUMBERS))
    assert batches_of(loader, place=place) == batches_of(loader)[place:]


def test_only_the_first_pass_is_continued():
    loader = DataLoader(NUMBERS, 3, shuffle=True)
    replay = Replay(loader, seed=1, rank=0, epoch=lambda: 0)
    replay.resume(epoch=0, position=5)
    assert [len(list(replay)) for _ in range(2)] == [2, 7]


def test_a_stream_has_no_length():
    with pytest.raises(TypeError):
        len(Replay(iter(range(3)), seed=0, rank=0, epoch=lambda: 0))


def test_a_data_module_that_keeps_its_place_is_left_alone():
    class Careful(LightningDataModule):
        def state_dict(self):
            return {"mine": 1}

    data = Careful()
    remember_place(data, 0)
    assert type(data) is Careful


# In an epoch, at its end, in the second; each kill is of the whole run's process.
@pytest.mark.parametrize(
    ("batch", "workers"),
    [
        (4, 0),
        (7, 0),
        *(pytest.param(n, 2, marks=pytest.mark.slow) for n in (3, 6, 7, 10)),
    ],
)
def test_a_killed_run_on_a_stream_goes_on_to_the_same_bits(
    batch, workers, nnlab, monkeypatch
):
    monkeypatch.setenv("NNLAB_PLUGINS", str(TRIAL))
    words = (*WORDS, f"data.workers={workers}")
    assert nnlab(*words, "folder=calm").status == 0
    assert run_and_end(signal.SIGKILL, batch, *words, "folder=killed") < 0
    answer = nnlab("resume=killed")
    assert answer.status == 0, answer.err
    assert run_differences("calm", "killed") == []
