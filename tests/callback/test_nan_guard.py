"""A loss that is no number ends a run within the step, and spoils no checkpoint."""

import json
from pathlib import Path

import pytest
import torch
from lightning import Trainer
from torch import nn

from nnlab.callback.nan_guard import NanGuard
from nnlab.checkpoint import read_checkpoint
from nnlab.model.mlp import MLP

QUICK = ("data.repeats=5", "trainer.max_epochs=3", "pictures=0", "logger=[]")
STEPS = 5  # an epoch's
FAST = ("optimizer=sgd", "optimizer.lr=1e4", "optimizer.weight_decay=1e4")


def status(folder: str = "run") -> dict[str, str]:
    return json.loads(Path(folder, "status.json").read_text())


@pytest.fixture
def spoiled(monkeypatch, nnlab):
    """Run with a model whose `measure` is spoiled by a function at a step."""

    def run(spoil, *words: str, step: int = STEPS + 3):
        measure = MLP.measure

        def spoiled_measure(self, batch):
            is_run = self._trainer is not None and self.trainer.logger is not None
            if is_run and self.training and self.global_step + 1 == step:
                return spoil(self, batch, measure)
            return measure(self, batch)

        monkeypatch.setattr(MLP, "measure", spoiled_measure)
        return nnlab(*QUICK, "folder=run", *words)

    return run


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_ends_the_run_within_the_step(spoiled, value):
    def spoil(model, batch, measure):
        scalars = measure(model, batch)
        return {**scalars, "loss": scalars["loss"] * value}

    answer = spoiled(spoil)
    assert answer.status == 1
    assert answer.err.startswith(f"nnlab: the loss is {value} at step 8 (epoch 2, ")
    assert "batch 3): every layer is finite, so it is in the loss itself" in answer.err
    assert answer.err.count("\n") == 1
    assert status()["status"] == "failed"
    assert f"the loss is {value} at step 8" in status()["cause"]
    assert (
        "NanGuard" in Path("run/log.txt").read_text()
        or "nan_guard" in Path("run/log.txt").read_text()
    )


def test_the_last_finite_checkpoint_is_kept_and_named(spoiled):
    def spoil(model, batch, measure):
        return {"loss": measure(model, batch)["loss"] * torch.nan}

    answer = spoiled(spoil, "checkpoint_seconds=0")
    assert "the last finite weights are in run/checkpoints/last.ckpt" in answer.err
    content = read_checkpoint(Path("run/checkpoints/last.ckpt"))
    assert content["global_step"] == 7
    assert all(weight.isfinite().all() for weight in content["state_dict"].values())


def test_the_first_bad_layer_is_named(spoiled):
    def spoil(model, batch, measure):
        with torch.no_grad():
            model.output.weight.fill_(3e38)
        return measure(model, (batch[0] * 9, batch[1]))

    answer = spoiled(spoil)
    assert "output (Linear) is the first layer whose output is not finite" in answer.err


def test_weights_that_are_no_numbers_are_told_from_overflow(spoiled):
    def spoil(model, batch, measure):
        with torch.no_grad():
            model.hidden[0].weight[1, 0] = torch.nan
        return measure(model, batch)

    assert "the weights of hidden.0 (Linear) are not finite" in spoiled(spoil).err


def test_a_batch_that_holds_no_numbers_is_blamed_itself(nnlab, monkeypatch):
    from nnlab.data.xor import TruthTable

    def prepare(self, batch):
        x, label = batch
        step = self.trainer.global_step if self.trainer else 0
        return (x / 0 if step == 6 and self.trainer.training else x), label

    monkeypatch.setattr(TruthTable, "prepare", prepare)
    answer = nnlab(*QUICK, "folder=run")
    assert answer.status == 1
    assert "at step 7 (epoch 2, batch 2): the batch itself holds" in answer.err


def test_a_diverging_run_is_stopped_though_nobody_asked(nnlab):
    answer = nnlab(*QUICK, "folder=run", *FAST)
    assert answer.status == 1
    assert "the loss is nan at step" in answer.err
    assert "no checkpoint had been written yet" in answer.err


def test_no_checkpoint_is_written_of_weights_that_are_not_finite(spoiled):
    # The loss of the step is finite; what the step does to a weight is not.
    def spoil(model, batch, measure):
        scalars = measure(model, batch)
        weight = model.hidden[0].weight
        penalty = (weight - weight.detach()).abs().sqrt().sum()  # 0, of slope infinity
        return {**scalars, "loss": scalars["loss"] + penalty}

    answer = spoiled(spoil, "checkpoint_seconds=0")
    assert answer.status == 1
    assert "after step 8 hidden.0.weight is not finite" in answer.err
    content = read_checkpoint(Path("run/checkpoints/last.ckpt"))
    assert content["global_step"] == 7
    assert all(weight.isfinite().all() for weight in content["state_dict"].values())


def test_asked_to_it_looks_at_the_gradients_as_well(spoiled):
    def spoil(model, batch, measure):
        scalars = measure(model, batch)
        weight = model.hidden[0].weight
        penalty = (weight - weight.detach()).abs().sqrt().sum()
        return {**scalars, "loss": scalars["loss"] + penalty}

    answer = spoiled(spoil, "callback=[nan_guard]")
    assert "the gradient of hidden.0.weight is not finite at step 8" in answer.err


def test_it_can_be_switched_off(spoiled):
    def spoil(model, batch, measure):
        return {"loss": measure(model, batch)["loss"] * torch.nan}

    assert spoiled(spoil, "nan_guard=false").status == 0


def test_an_accumulation_window_is_stopped_at_its_first_bad_batch(spoiled):
    def spoil(model, batch, measure):
        return {"loss": measure(model, batch)["loss"] * torch.nan}

    answer = spoiled(spoil, "trainer.accumulate_grad_batches=2", step=2)
    assert "at step 2 (epoch 1, batch 3)" in answer.err


@pytest.mark.parametrize(
    "model", ["perceptron", "lenet5", pytest.param("gan", marks=pytest.mark.slow)]
)
def test_it_guards_every_model(model, nnlab, monkeypatch):
    from nnlab.learner import Learner

    measured = Learner.measured

    def spoiled(self, batch, stage):
        loss = measured(self, batch, stage)
        logs = self.trainer.logger is not None
        return loss * torch.nan if logs and self.global_step == 1 else loss

    monkeypatch.setattr(Learner, "measured", spoiled)
    data = "xor" if model == "perceptron" else "digits"
    answer = nnlab(
        *(f"model={model}", f"data={data}", "folder=run", "pictures=0", "logger=[]"),
        *("trainer.max_epochs=1", "+trainer.limit_train_batches=3"),
    )
    assert answer.status == 1, answer.err
    assert "the loss is nan at step 2" in answer.err


def test_fp16s_scaler_skips_infinite_gradients_itself(monkeypatch):
    guard = NanGuard(gradients=True)
    trainer = Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    layer = nn.Linear(2, 2)
    layer.weight.grad = torch.full_like(layer.weight, torch.inf)
    monkeypatch.setattr(trainer.precision_plugin, "scaler", object(), raising=False)
    guard.on_before_optimizer_step(trainer, layer, None)  # pyright: ignore
