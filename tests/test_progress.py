"""An epoch is one line that fits the terminal, what decides something first."""

import logging
import time
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console

from nnlab.progress import ProgressReport
from nnlab.report.wording import first_fitting

METRICS = {
    "val/accuracy": 0.99996,
    "val/discriminator_loss": 0.0417,
    "val/fid": 946.6638,
    "val/generator_loss": 4.2254,
    "val/loss": 4.2670,
    "val/share_of_rarest_digit": 0.0015,
    "train/loss": 3.9,
}


def line(width: int, caplog, *, monitored=("val/fid",), **metrics: float) -> str:
    trainer: Any = SimpleNamespace(
        callback_metrics={
            name: torch.tensor(value, dtype=torch.float64)
            for name, value in (metrics or METRICS).items()
        },
        current_epoch=8,
        max_epochs=10,
    )
    report = ProgressReport(
        Console(width=width), bar_seconds=1, line_seconds=1, monitored=monitored
    )
    report._started_at = time.monotonic() - 1
    report._samples, report._steps, report._total = 1000, 90, 100
    with caplog.at_level(logging.INFO, logger="nnlab.run"):
        report._line(trainer, 3.9385)
    return caplog.records[-1].getMessage()


@pytest.mark.parametrize("width", [48, 60, 72, 80, 100, 152])
def test_a_line_is_no_wider_than_the_terminal(width, caplog):
    said = line(width, caplog)
    assert len(said) <= width
    assert "val/fid 946.6638 " in said
    assert said.startswith("epoch  9/10  ")
    assert said.endswith(" 0:00 left")


def test_a_wide_terminal_shows_every_metric(caplog):
    said = line(300, caplog)
    assert all(name in said for name in METRICS if name != "train/loss")
    assert "more" not in said


def test_a_narrow_line_says_how_many_metrics_it_leaves_out(caplog):
    said = line(100, caplog)
    shown = said.count("val/")
    assert f" +{6 - shown} more " in said


def test_what_is_monitored_comes_first_in_its_order(caplog):
    said = line(300, caplog, monitored=("val/loss", "val/accuracy"))
    names = [word for word in said.split() if word.startswith("val/")]
    assert names[:2] == ["val/loss", "val/accuracy"]
    assert names[2:] == sorted(names[2:])


def test_before_the_first_validation_speed_and_time_are_shown(caplog):
    said = line(80, caplog, **{"train/loss": 3.9})
    assert said.startswith("epoch  9/10  loss 3.9385  ")
    assert said.endswith("/s 0:00 left")
    assert "more" not in said


def test_almost_all_does_not_read_as_all(caplog):
    said = line(80, caplog, monitored=(), **{"val/accuracy": 0.99996})
    assert "val/accuracy 0.99996  " in said


LINES = [[["a 1"], ["b 2", "c 3"], ["d"]], [["a 1"], ["+2 more"]], [["a 1"], []]]


@pytest.mark.parametrize(
    ("room", "kept"), [(15, "a 1  b 2 c 3  d"), (14, "a 1  +2 more"), (11, "a 1")]
)
def test_the_fullest_line_that_fits_is_shown(room, kept):
    assert first_fitting(LINES, room) == kept


def test_where_nothing_fits_the_shortest_is_shown():
    assert first_fitting(LINES, 1) == "a 1"
