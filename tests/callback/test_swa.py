"""The mean of the last epochs' weights, at a rate that stays up."""

import math

import pytest
import torch
from lightning import Trainer
from nnlab.ext.callback.swa import SWA
from torch import nn

from nnlab.batches import Batches
from nnlab.data_module import DataModule, Splits
from nnlab.learner import Learner

from .conftest import checkpoint, rows

SHORT = ("data.repeats=5", "trainer.max_epochs=4", "pictures=0", "logger=[]")
EACH = ("callback=[swa,checkpoint_every_n_epochs,lr_monitor]", "folder=run")


class Numbers(DataModule):
    """Normal random numbers, far from 0."""

    def facts(self):
        return {}

    def load(self) -> Splits:
        x = 5 + 3 * torch.randn(40, 2, generator=torch.Generator().manual_seed(1))
        return Splits((x,), (x[:4],), (x[:4],))


class Normed(Learner):
    """Batch normalisation after a linear layer."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))

    def forward(self, x):
        return self.layers(x)

    def measure(self, batch):
        return {"loss": self(batch[0]).square().mean()}

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_it_is_the_plain_mean_of_the_last_epochs_weights(nnlab):
    assert nnlab(*SHORT, *EACH, "callback.swa.start=0.5").status == 0
    early = checkpoint("run", "epoch_0002")
    assert early["callbacks"]["SWA"]["updates"] == 0
    ends = [checkpoint("run", f"epoch_000{n}") for n in (3, 4)]
    trained = [end["callbacks"]["SWA"]["trained"] for end in ends]
    for name, saved in checkpoint("run")["state_dict"].items():
        mean = (trained[0][name].double() + trained[1][name].double()) / 2
        torch.testing.assert_close(saved.double(), mean, rtol=1e-6, atol=1e-7)


def test_its_rate_goes_down_along_half_a_cosine_and_stays(nnlab):
    words = ("callback.swa.lr=0.01", "callback.swa.annealing_epochs=1")
    assert (
        nnlab(
            *SHORT,
            *EACH,
            *words,
            *("callback.swa.start=0.5", "optimizer=sgd", "optimizer.lr=0.1"),
            *("schedule=cosine", "trainer.log_every_n_steps=1"),
        ).status
        == 0
    )
    rates = {row["step"]: row["lr/sgd"] for row in rows() if "lr/sgd" in row}
    schedule = {
        row["step"]: row["learning_rate"] for row in rows() if "train/loss" in row
    }
    before = rates[11]
    assert before == pytest.approx(schedule[10])
    for step in range(11, 16):
        share = (1 - math.cos(math.pi * (step - 11) / 5)) / 2
        assert rates[step] == pytest.approx(before + (0.01 - before) * share)
    assert [rates[step] for step in range(16, 21)] == [0.01] * 5


def test_batch_normalisation_is_measured_for_the_averaged_weights():
    torch.manual_seed(0)
    data, model = Numbers(batch_size=8, seed=0), Normed()
    swa = SWA(start=0.4, lr=None, annealing_epochs=0, normalisation_batches=100)
    trainer = Trainer(
        *(),
        max_epochs=3,
        accelerator="cpu",
        callbacks=[swa],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    momentum = model.layers[1].momentum
    trainer.fit(model, datamodule=data)
    averages = swa.averages
    weight, bias = averages["layers.0.weight"], averages["layers.0.bias"]
    batches = [
        x @ weight.T + bias for (x,) in Batches(data.splits.train, batch_size=8, seed=0)
    ]
    mean = torch.stack([batch.mean(dim=0) for batch in batches]).mean(dim=0)
    torch.testing.assert_close(averages["layers.1.running_mean"], mean)
    variance = torch.stack([batch.var(dim=0) for batch in batches]).mean(dim=0)
    torch.testing.assert_close(averages["layers.1.running_var"], variance)
    assert model.layers[1].momentum == momentum
    trained = model.state_dict()["layers.1.running_mean"]
    assert not torch.allclose(trained, mean), "what is trained keeps its own"


@pytest.mark.slow
def test_a_killed_run_continues_to_the_same_bits(killed_and_continued):
    words = ("callback=[swa]", "callback.swa.start=0.3", "callback.swa.lr=0.02")
    assert killed_and_continued(*words, at_batch=34)


def test_a_run_without_an_end_has_no_last_epochs(nnlab):
    words = ("trainer.max_epochs=-1", "trainer.max_steps=9", "callback=[swa]")
    answer = nnlab(*words)
    assert answer.status == 2
    assert "callback.swa.start=0.75 is a share of the run's epochs" in answer.err
