"""The average is what is validated, tested and saved; the weights are trained."""

import json
from pathlib import Path

import pytest
import torch
from lightning import LightningModule
from nnlab.ext.callback.ema import EMA
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from nnlab.build import build_model

from .conftest import checkpoint, rows

SHORT = ("data.repeats=5", "trainer.max_epochs=3", "pictures=0", "logger=[]")
TABLE = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([0, 1, 1, 0])


class Net(LightningModule):
    """Something with a buffer of floats and one of whole numbers."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def loss_of(content) -> float:
    """Return the validation loss of the model rebuilt from a checkpoint alone."""
    model = build_model(content["nnlab"]["config"], ())
    model.load_state_dict(content["state_dict"])
    return model.eval().measure(TABLE)["loss"].item()


def ema(**changed) -> EMA:
    numbers = {"decay": 0.9, "warmup": False, "start_step": 0, "every_n_steps": 1}
    return EMA(**{**numbers, **changed})


def test_it_is_the_average_that_torch_computes():
    net, callback = Net(), ema(decay=0.7)
    average = get_ema_multi_avg_fn(0.7)
    oracle = AveragedModel(net, multi_avg_fn=average, use_buffers=True)
    for step in range(5):
        with torch.no_grad():
            for weight in net.parameters():
                weight.add_(torch.randn_like(weight))
        net.layers(torch.randn(8, 2) + step)
        callback.take_in(net, 1 - 0.7)
        oracle.update_parameters(net)
    for name, value in oracle.module.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(callback.averages[name], value)
    assert "layers.1.num_batches_tracked" not in callback.averages


def test_halves_are_averaged_in_32_bits():
    net = Net().bfloat16()
    callback = ema()
    callback.take_in(net, 1)
    with torch.no_grad():
        net.layers[0].weight.add_(0.01)
    before = callback.averages["layers.0.weight"].clone()
    callback.take_in(net, 0.001)
    moved = callback.averages["layers.0.weight"] - before
    assert (moved > 0).all(), "a thousandth of a hundredth is lost in bfloat16"


@pytest.fixture(scope="module")
def averaged(tmp_path_factory) -> Path:
    """Return the folder of a run that keeps a checkpoint of each step."""
    from nnlab.cli import main

    folder = tmp_path_factory.mktemp("runs") / "averaged"
    kept = ("callback=[ema,checkpoint_every_n_steps]", f"folder={folder}")
    every = "callback.checkpoint_every_n_steps.every_n_steps=1"
    words = ("callback.ema.decay=0.8", "callback.ema.warmup=false", "optimizer.lr=0.03")
    assert main([*SHORT, *kept, every, *words]) == 0
    return folder


def test_the_checkpoints_of_a_run_hold_its_average(averaged):
    expected = None
    for step in range(1, 16):
        content = checkpoint(averaged, f"step_{step:08d}")
        trained = content["callbacks"]["EMA"]["trained"]["output.weight"].double()
        expected = trained if expected is None else 0.8 * expected + 0.2 * trained
        saved = content["state_dict"]["output.weight"]
        torch.testing.assert_close(saved.double(), expected, rtol=1e-5, atol=1e-6)
        assert step == 1 or not torch.equal(saved.double(), trained)


def test_what_is_validated_is_the_average(averaged):
    validated = [row["val/loss"] for row in rows(averaged) if "val/loss" in row]
    for epoch, value in enumerate(validated, start=1):
        content = checkpoint(averaged, f"step_{5 * epoch:08d}")
        assert loss_of(content) == pytest.approx(value, rel=1e-5)
        content["state_dict"] = content["callbacks"]["EMA"]["trained"]
        assert loss_of(content) != pytest.approx(value, rel=1e-3)


def test_what_is_tested_is_the_average_and_the_checkpoint_alone_rebuilds_it(averaged):
    result = json.loads((averaged / "result.json").read_text())
    tested = result["metrics"]["test/loss"]
    assert loss_of(checkpoint(averaged, "best")) == pytest.approx(tested, rel=1e-5)


def test_before_its_start_the_weights_themselves_are_validated_and_saved(nnlab):
    answer = nnlab(
        *SHORT,
        *("callback=[ema,checkpoint_every_n_steps]", "callback.ema.start_step=8"),
        *("callback.checkpoint_every_n_steps.every_n_steps=1", "folder=run"),
    )
    assert answer.status == 0, answer.err
    early = checkpoint("run", "step_00000005")
    assert early["callbacks"]["EMA"] == {"updates": 0}
    first = next(row["val/loss"] for row in rows() if "val/loss" in row)
    assert loss_of(early) == pytest.approx(first, rel=1e-5)
    begun = checkpoint("run", "step_00000008")
    for name, weight in begun["callbacks"]["EMA"]["trained"].items():
        assert torch.equal(weight, begun["state_dict"][name])
    assert checkpoint("run", "step_00000015")["callbacks"]["EMA"]["updates"] == 8


@pytest.mark.slow
def test_training_is_the_same_as_without(nnlab):
    assert nnlab(*SHORT, "callback=[ema]", "folder=with").status == 0
    assert nnlab(*SHORT, "folder=without").status == 0
    trained = checkpoint("with")["callbacks"]["EMA"]["trained"]
    for name, weight in checkpoint("without")["state_dict"].items():
        assert torch.equal(trained[name], weight)


def test_a_young_average_forgets_fast():
    callback = ema(decay=0.999, warmup=True)
    callback.updates = 1
    assert callback._kept() == pytest.approx(2 / 11)
    callback.updates = 10**6
    assert callback._kept() == 0.999


@pytest.mark.parametrize("batch", [20, pytest.param(5, marks=pytest.mark.slow)])
def test_a_killed_run_continues_to_the_same_bits(batch, killed_and_continued):
    assert killed_and_continued("callback=[ema]", at_batch=batch)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("callback=[ema,swa]",), "one average is enough"),
        (("callback=[ema,pruning]",), "an average brings back what was pruned"),
        (("callback=[ema]", "callback.ema.decay=1"), "must be less than 1"),
        (("callback=[ema]", "callback.ema.deca=0.9"), "did you mean callback.ema.dec"),
    ],
)
def test_wrong_uses_are_one_sentence(words, said, nnlab, tmp_path):
    answer = nnlab(*SHORT, *words)
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
