"""nnlab's training step does to the bit, in the same order, what Lightning's does."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.profilers import SimpleProfiler

from nnlab import epoch_loop, fit
from nnlab.epoch_loop import EpochLoop
from nnlab.model.mlp import MLP
from nnlab.usual_step import UsualStep

BASE = ("data=xor", "data.batch_size=3", "data.repeats=10", "trainer.max_epochs=3")
QUICK = (*BASE, "pictures=0", "logger=[]", "trainer.log_every_n_steps=4")
DIGITS = ("data=digits", "trainer.max_epochs=1", "pictures=0", "logger=[]")
SETTINGS = {
    "plain": [*QUICK],
    "dropout and momentum": [*QUICK, "model.dropout=0.3", "optimizer=momentum"],
    "accumulation": [*QUICK, "trainer.accumulate_grad_batches=3"],
    "clipping": [*QUICK, "trainer.gradient_clip_val=0.05"],
    "clipping by value": [
        *(*QUICK, "trainer.gradient_clip_val=0.05"),
        "trainer.gradient_clip_algorithm=value",
    ],
    "validation within an epoch": [*QUICK, "trainer.val_check_interval=5"],
    "validation every second epoch": [*QUICK, "trainer.check_val_every_n_epoch=2"],
    "an end within an epoch": [*QUICK[:3], *QUICK[4:], "trainer.max_steps=20"],
    "part of the batches": [*QUICK, "trainer.limit_train_batches=7"],
    "a schedule": [*QUICK, "schedule=one_cycle", "optimizer=adamw"],
    "no optimizer of ours": [*QUICK, "optimizer=rmsprop"],
    "bf16": [*QUICK, "precision=bf16"],
    "early stopping": [*QUICK, "callback=early_stopping"],
    "callbacks with hooks": [*QUICK, "callback=[ema,gradient_statistics]"],
    "regularizers": [*QUICK, "regularizer=[l1,sam]"],
    "gan": ["model=gan", *DIGITS, "data.batch_size=300", "trainer.gradient_clip_val=1"],
    "siamese": ["model=siamese", "data=digits_pairs", *DIGITS[1:]],
    "lstm": ["model=lstm_adder", "data.train_pairs=3000", *DIGITS[1:]],
    "gpt": [
        *("model=gpt", "data=pydocs", "data.batches_per_epoch=8"),
        *(*DIGITS[1:], "callback=[]"),
    ],
}
HOOKS = [
    *("on_train_batch_start", "on_train_batch_end", "on_before_zero_grad"),
    *("on_before_backward", "on_after_backward", "on_before_optimizer_step"),
    *("on_validation_start", "on_train_epoch_end", "on_train_end"),
]


class Spy(Callback):
    """Writes down each hook, and what Lightning knows of the run by then."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def note(self, name: str, trainer: Trainer, module: LightningModule) -> None:
        loop = trainer.fit_loop.epoch_loop
        optimization = loop.automatic_optimization.optim_progress
        self.seen.append(
            {
                "hook": name,
                "named": module._current_fx_name,
                "step": trainer.global_step,
                "batch": loop.batch_progress.state_dict(),
                "optimization": optimization.state_dict(),
                "schedule": loop.scheduler_progress.state_dict(),
                "stepped": loop._batches_that_stepped,
                "accumulates": loop._should_accumulate(),
                "last": trainer.is_last_batch,
                "first": trainer._logger_connector._first_loop_iter,
                "rates": [group["lr"] for group in trainer.optimizers[0].param_groups],
                "gradients": [
                    None if weight.grad is None else weight.grad.sum().item()
                    for weight in module.parameters()
                ],
            }
        )


def noting(name: str) -> Any:
    def hook(self: Spy, trainer: Trainer, module: LightningModule, *rest: Any) -> None:
        self.note(name, trainer, module)
        if name == "on_train_batch_end":
            self.seen.append((rest[0]["loss"].item(), rest[2]))
            if isinstance(module, MLP):  # both of Lightning's ways to log
                self.log("spied/step", rest[0]["loss"], on_step=True, on_epoch=True)

    return hook


for each in HOOKS:
    setattr(Spy, each, noting(each))


def counted(took: list[int]) -> Any:
    """Return a `UsualStep.take` that counts a run's steps; its trial has no log."""
    take = UsualStep.take

    def counting(self: UsualStep) -> None:
        if self.trainer.loggers:
            took.append(1)
        take(self)

    return counting


@pytest.fixture
def spied(monkeypatch, nnlab):
    """Run with a spy, by nnlab's step or Lightning's; return what it saw."""
    took: list[int] = []

    def run(folder: str, *words: str, own: bool = True) -> tuple[list[Any], int]:
        spy, took[:] = Spy(), []
        with monkeypatch.context() as patch:
            patch.setattr(UsualStep, "take", counted(took))
            make = fit.trainer_of
            patch.setattr(
                fit,
                "trainer_of",
                lambda *a, callbacks, **k: make(*a, callbacks=[*callbacks, spy], **k),
            )
            if not own:
                patch.setattr(epoch_loop, "is_usual", lambda *_: False)
            answer = nnlab(*words, f"folder={folder}")
        assert answer.status == 0, answer.err
        return spy.seen, len(took)

    return run


def weights(folder: str, name: str) -> dict[str, Any]:
    return torch.load(f"{folder}/checkpoints/{name}.ckpt", weights_only=True)


@pytest.mark.parametrize("case", SETTINGS)
def test_own_and_lightnings_steps_are_the_same_run(case, spied):
    own, taken = spied("own", *SETTINGS[case])
    lightnings, none = spied("lightnings", *SETTINGS[case], own=False)
    assert taken > 4
    assert none == 0
    for left, right in zip(own, lightnings, strict=True):
        assert left == right
    for name in ("last", "best"):
        left, right = weights("own", name), weights("lightnings", name)
        for key, value in left["state_dict"].items():
            assert torch.equal(value, right["state_dict"][key])
        assert left["loops"] == right["loops"]
        assert str(left["optimizer_states"]) == str(right["optimizer_states"])
    rows = [
        Path(folder, "metrics.jsonl").read_text() for folder in ("own", "lightnings")
    ]
    assert rows[0] == rows[1]
    results = [
        json.loads(Path(folder, "result.json").read_text())["metrics"]
        for folder in ("own", "lightnings")
    ]
    assert results[0] == results[1]


def test_who_changes_the_accumulation_at_a_batchs_start_is_heard(spied, monkeypatch):
    start = MLP.on_train_batch_start

    def from_the_fourth(self, batch, batch_idx):
        start(self, batch, batch_idx)
        self.trainer.accumulate_grad_batches = 2 if batch_idx >= 4 else 1

    monkeypatch.setattr(MLP, "on_train_batch_start", from_the_fourth)
    own, taken = spied("own", *QUICK)
    lightnings, _ = spied("lightnings", *QUICK, own=False)
    assert taken > 4
    assert own == lightnings


def test_a_model_that_ends_its_epoch_ends_it(spied, monkeypatch):
    start = MLP.on_train_batch_start

    def at_the_fourth(self, batch, batch_idx):
        start(self, batch, batch_idx)
        return -1 if batch_idx == 3 else None

    monkeypatch.setattr(MLP, "on_train_batch_start", at_the_fourth)
    own, taken = spied("own", *QUICK)
    lightnings, _ = spied("lightnings", *QUICK, own=False)
    assert taken == 12
    assert own == lightnings


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("training_step", lambda self, batch, index: self.measured(batch, "train")),
        ("backward", lambda self, loss: loss.backward()),
        ("lr_scheduler_step", lambda self, scheduler, metric: scheduler.step()),
    ],
)
def test_a_model_with_a_step_of_its_own_keeps_lightnings(
    name, change, spied, monkeypatch
):
    monkeypatch.setattr(MLP, name, change)
    assert spied("run", *QUICK)[1] == 0


def test_a_profiler_sees_lightnings_step(nnlab, monkeypatch):
    took: list[int] = []
    monkeypatch.setattr(UsualStep, "take", counted(took))
    make = fit.trainer_of

    def profiled(*arguments, **settings):
        return make(*arguments, profiler=SimpleProfiler(), **settings)

    monkeypatch.setattr(fit, "trainer_of", profiled)
    assert nnlab(*QUICK, "folder=run").status == 0
    assert not took


def test_every_run_has_the_loop():
    from nnlab.trainer import make_trial

    trainer = make_trial({"accelerator": "cpu", "max_steps": 7, "min_steps": 3})
    loop = trainer.fit_loop.epoch_loop
    assert isinstance(loop, EpochLoop)
    assert (loop.min_steps, loop.max_steps) == (3, 7)
