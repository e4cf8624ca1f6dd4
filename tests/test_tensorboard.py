"""One event a step holds what Lightning's logger spreads over many."""

from pathlib import Path

import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from nnlab.tensorboard import TensorBoard

ROWS = [(50, {"train/loss": 0.5, "epoch": 0}), (100, {"train/loss": float("nan")})]


def events(kind, folder, rows, **keywords):
    logger = kind(str(folder), name="", version="", **keywords)
    for step, row in rows:
        logger.log_metrics(row, step=step)
    logger.finalize("success")
    [file] = Path(folder).glob("events*")
    return [event for event in EventFileLoader(str(file)).Load() if event.summary.value]


def points(found):
    return [
        (event.step, value.tag, str(torch.tensor(value.tensor.float_val)))
        for event in found
        for value in event.summary.value
    ]


@pytest.mark.parametrize("prefix", ["", "fold1"])
def test_the_points_are_lightnings_in_an_event_a_step(tmp_path, prefix):
    ours, theirs = (
        events(kind, tmp_path / kind.__name__, ROWS, prefix=prefix)
        for kind in (TensorBoard, TensorBoardLogger)
    )
    assert points(ours) == points(theirs)
    assert len(ours) == 2
    assert len(theirs) == 3


def test_tensors_and_curves_in_one_plot_are_left_to_lightning(tmp_path):
    [event] = events(TensorBoard, tmp_path, [(1, {"a": torch.tensor(2.0)})])
    assert points([event]) == [(1, "a", "tensor([2.])")]


def test_a_run_that_goes_on_keeps_the_points_of_the_step_it_goes_on_from(nnlab):
    words = ("data=xor", "data.repeats=50", "pictures=0", "logger=[tensorboard]")
    assert nnlab(*words, "trainer.max_epochs=2", "folder=run").status == 0
    assert nnlab("resume=run", "trainer.max_epochs=3").status == 0
    events = EventAccumulator("run/tensorboard").Reload()
    assert [event.step for event in events.Scalars("val/loss")] == [50, 100, 150]
