"""What callbacks that only watch leave in a run's folder, number by number."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from lightning import Trainer
from nnlab.ext.callback.activation_statistics import ActivationStatistics
from nnlab.ext.callback.dead_units import DeadUnits
from nnlab.ext.callback.embedding_projector import _tokens
from torch import nn

from nnlab.build import build_model

from .conftest import checkpoint, rows


def having(folder: Path, name: str) -> list[dict]:
    return [row for row in rows(folder) if name in row]


def test_the_rate_logged_is_the_one_the_step_had(watched):
    found = having(watched, "lr/adam")
    assert [row["step"] for row in found] == [5, 10, 15, 20, 25, 30]
    after = {row["step"]: row["learning_rate"] for row in having(watched, "train/loss")}
    state = checkpoint(watched, "epoch_0001")["optimizer_states"][0]["param_groups"][0]
    assert after[10] == state["lr"], "of the step that comes next"
    rates = [row["lr/adam"] for row in found]
    assert all(row["lr/adam"] > after[row["step"]] for row in found), "a falling curve"
    assert rates == sorted(rates, reverse=True)
    assert found[0]["momentum/adam"] == 0.9
    assert found[0]["weight_decay/adam"] == 0


def test_memory_is_what_the_process_has(watched):
    found = having(watched, "memory/process")
    assert found[0]["step"] == 0
    for row in found:
        assert 100 < row["memory/process"] <= row["memory/process_peak"] * 1.01


def test_flops_are_those_counted_by_hand(watched):
    forward = 2 * (2 * 4 + 3 * 4 * 4 + 4 * 2)  # an example's multiplications and sums
    text = (watched / "figures/over_training/flops_00000000.txt").read_text()
    assert text.splitlines()[0].split() == ["layer", "forward", "share"]
    shares = {line.split()[0]: line.split()[1] for line in text.splitlines()}
    assert shares["all"] == str(forward)
    assert shares["hidden.3"] == str(2 * 16)
    # the first layer's inputs need no gradient
    both = 4 * (3 * forward - 2 * 2 * 4)
    assert [row["flops/total"] for row in having(watched, "flops/total")] == [
        step * both for step in (5, 10, 15, 20, 25, 30)
    ]


def test_activations_are_those_of_the_layers_and_no_hook_is_left(build):
    layers = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Dropout())
    callback = ActivationStatistics()
    trainer = Trainer(logger=False, enable_checkpointing=False, log_every_n_steps=1)
    x = torch.randn(64, 3)
    callback.on_train_batch_start(trainer, layers, None, 0)
    layers(x), layers(-x)  # as a model may do in one step
    given = torch.cat([layers[0](x), layers[0](-x)])
    callback._take_out()
    total, squares, zeros, count = callback._sums["1"].tolist()
    assert count == 2 * 64 * 5
    rectified = given.relu().detach()
    assert total == pytest.approx(rectified.sum().item(), rel=1e-5)
    assert squares == pytest.approx(rectified.square().sum().item(), rel=1e-5)
    assert zeros == (rectified == 0).sum().item()
    assert "2" not in callback._sums, "dropout changes no statistics worth a line"
    assert not any(layer._forward_hooks for layer in layers)


def test_activations_are_logged_and_drawn(watched):
    found = having(watched, "activation/hidden.1")
    assert [row["step"] for row in found] == [5, 10, 15, 20, 25, 30]
    assert 0.3 < found[0]["activation_mean/hidden.1"] < 0.7, "a sigmoid's"
    assert found[0]["activation_zeros/hidden.1"] == 0
    assert (watched / "figures/over_training/activations_00000030.png").is_file()


def test_dead_units_are_those_that_no_example_switches_on():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 3))
    with torch.no_grad():
        layers[0].bias[[1, 4]] = -100  # never above zero
        layers[0].bias[[0, 2, 3, 5]] = 5
    callback = DeadUnits()
    for _ in range(3):
        layers.zero_grad()
        layers(torch.randn(8, 2)).square().sum().backward()
        callback.on_after_backward(None, layers)
    assert (~callback._alive["0"]).nonzero().flatten().tolist() == [1, 4]
    assert callback._alive["2"].all()


def test_a_unit_that_learns_from_one_batch_of_many_is_alive():
    layers = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    with torch.no_grad():
        layers[0].weight.fill_(1)
        layers[0].bias.fill_(0)
    callback = DeadUnits()
    for x in (-1.0, 2.0, -3.0):
        layers.zero_grad()
        layers(torch.tensor([[x]])).sum().backward()
        callback.on_after_backward(None, layers)
    assert callback._alive["0"].tolist() == [True]


def test_dead_units_are_logged_each_epoch_and_drawn_where_there_are_any(watched):
    found = having(watched, "dead_units/all")
    assert [row["step"] for row in found] == [10, 20, 30]
    assert all(row["dead_units/all"] == 0 for row in found), "sigmoids do not die"
    assert not (watched / "figures/over_training/dead_units_00000030.png").exists()


def test_the_trace_is_one_that_chrome_and_tensorboard_read(watched):
    for file in ("profile/trace.json", "tensorboard/nnlab.pt.trace.json"):
        events = json.loads((watched / file).read_text())["traceEvents"]
        names = [event.get("name", "") for event in events]
        steps = {name for name in names if name.startswith("ProfilerStep#")}
        assert steps == {f"ProfilerStep#{n}" for n in (2, 3, 4)}
        assert "aten::addmm" in names
    assert "aten::addmm" in (watched / "profile/operators.txt").read_text()


def test_histograms_of_weights_and_gradients_are_in_tensorboard(board):
    tags = board.Tags()["histograms"]
    assert {"weight/hidden.0.weight", "gradient/output.bias"} <= {*tags}
    steps = [event.step for event in board.Histograms("weight/hidden.0.weight")]
    assert steps == [0, 10, 20, 30]
    last = board.Histograms("weight/output.weight")[-1].histogram_value
    assert last.num == 4 * 2


def test_the_last_histogram_is_of_the_last_weights(board, watched):
    weight = checkpoint(watched)["state_dict"]["output.weight"]
    last = board.Histograms("weight/output.weight")[-1].histogram_value
    assert last.min == pytest.approx(weight.min().item(), rel=1e-5)
    assert last.max == pytest.approx(weight.max().item(), rel=1e-5)


def test_the_projectors_points_are_what_enters_the_output(watched):
    [file] = (watched / "tensorboard").glob("*/output/tensors.tsv")
    points = torch.tensor(
        [[float(x) for x in line.split("\t")] for line in file.read_text().splitlines()]
    )
    content = checkpoint(watched)
    model = build_model(content["nnlab"]["config"], ()).eval()
    model.load_state_dict(content["state_dict"])
    table = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    torch.testing.assert_close(points, model.hidden(table), rtol=1e-4, atol=1e-5)
    labels = file.with_name("metadata.tsv").read_text().split()
    assert labels == ["0", "1", "1", "0"]


def test_a_tokens_row_is_labelled_with_it_and_padding_is_left_out():
    text = SimpleNamespace(vocabulary_size=3, decode=lambda ids: "a\nb"[ids[0]])
    trainer = SimpleNamespace(datamodule=SimpleNamespace(tokenizer=text))
    assert _tokens(trainer, "token_embedding", 64) == ["a", "\\n", "b"]
    assert _tokens(trainer, "position_embedding", 64) is None
    assert _tokens(trainer, "token_embedding", 2) is None


def test_pictures_are_in_tensorboard_too(board):
    assert "figures/gradients" in board.Tags()["images"]


def test_checkpoints_are_kept_as_asked(watched):
    kept = {file.stem for file in (watched / "checkpoints").iterdir()}
    tops = {name for name in kept if name.startswith("top_")}
    epochs = {f"epoch_{n:04d}" for n in (1, 2, 3)}
    steps = {f"step_{n:08d}" for n in (10, 20, 30)}
    assert kept - tops == {"best", "last", *epochs, *steps}
    losses = [row["val/loss"] for row in having(watched, "val/loss")]
    best = sorted(range(3), key=lambda n: losses[n])[:2]
    assert tops == {f"top_epoch_{n + 1:04d}" for n in best}
    assert checkpoint(watched, "epoch_0002")["global_step"] == 20


@pytest.mark.slow
def test_a_kept_checkpoint_is_tested_like_any(watched, nnlab):
    answer = nnlab("test", f"run={watched}/checkpoints/epoch_0002.ckpt")
    assert answer.status == 0, answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("callback=[weight_histograms] logger=[]", "has no logger=tensorboard"),
        ("callback=[embedding_projector] logger=[]", "has no logger=tensorboard"),
        (
            "callback=[embedding_projector] callback.embedding_projector.layer=hiden",
            "hiden is no layer of model=mlp; did you mean hidden",
        ),
        (
            "callback=[checkpoint_top_k] callback.checkpoint_top_k.monitor=val/los",
            "callback.checkpoint_top_k.monitor=val/los is not measured",
        ),
        (
            "callback=[checkpoint_every_n_steps] "
            "callback.checkpoint_every_n_steps.every_n_steps=0",
            "must be greater than or equal to 1",
        ),
        ("callback=[profiler] callback.profiler.steps=0", "greater than or equal to 1"),
        ("callback=[lr_monitr]", "did you mean lr_monitor?"),
    ],
)
def test_wrong_uses_are_one_sentence_and_nothing_is_written(words, said, nnlab):
    answer = nnlab("pictures=0", *words.split())
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert list(Path.cwd().iterdir()) == []
