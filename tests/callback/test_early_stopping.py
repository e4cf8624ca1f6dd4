"""A run that no longer gets better ends, and says why."""

import pytest
import torch
from lightning import Trainer

from nnlab.callback.early_stopping import EarlyStopping

from .conftest import rows

SHORT = ("data.repeats=5", "trainer.max_epochs=9", "pictures=0", "logger=[]")
CHOSEN = ("callback=[early_stopping]", "folder=run")


def epochs() -> int:
    return sum("val/loss" in row for row in rows())


def test_it_stops_after_as_many_epochs_without_a_better_one(nnlab):
    still = ("optimizer.lr=1e-12", "callback.early_stopping.patience=2")
    answer = nnlab(*SHORT, *CHOSEN, *still, "callback.early_stopping.min_delta=0.1")
    assert answer.status == 0, answer.err
    assert epochs() == 3
    assert (
        "early stopping after epoch 3: val/loss has been no better than" in answer.out
    )
    assert "(epoch 1) for 2 validations" in answer.out


@pytest.mark.slow
def test_it_does_not_stop_before_its_time(nnlab):
    still = ("optimizer.lr=1e-12", "callback.early_stopping.patience=2")
    words = (
        "callback.early_stopping.min_delta=1",
        "callback.early_stopping.min_epochs=5",
    )
    assert nnlab(*SHORT, *CHOSEN, *still, *words).status == 0
    assert epochs() == 5


def test_it_stops_where_it_is_good_enough(nnlab):
    answer = nnlab(*SHORT, *CHOSEN, "callback.early_stopping.threshold=9")
    assert epochs() == 1
    assert "as good as asked for" in answer.out


def test_its_state_is_plain_and_comes_back():
    def make() -> EarlyStopping:
        numbers = {"patience": 3, "min_delta": 0.0, "threshold": None, "min_epochs": 0}
        return EarlyStopping(monitor="val/loss", mode="min", **numbers)

    one, other = make(), make()
    trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    for value in (0.5, 0.7):
        trainer.callback_metrics["val/loss"] = torch.tensor(value)
        one._run_early_stopping_check(trainer)
    other.load_state_dict(one.state_dict())
    assert (other.wait_count, other.best_epoch) == (1, 1)
    assert float(other.best_score) == 0.5


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("monitor=val/accurcy", "is not measured by this model"),
        ("patience=0", "greater than or equal to 1"),
        ("mode=least", "callback.early_stopping.mode=least must be"),
    ],
)
def test_wrong_uses_are_one_sentence(word, said, nnlab):
    answer = nnlab("callback=[early_stopping]", f"callback.early_stopping.{word}")
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
