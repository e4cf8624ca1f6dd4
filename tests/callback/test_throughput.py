import json

import pytest
import torch

from nnlab.callback.throughput import forward_flops


def test_counts_an_mlps_multiplications_as_by_hand(build):
    sizes = ("model.input_size=20", "model.classes=3", "model.hidden_sizes=[30]")
    model = build("model=mlp", *sizes)
    batch = torch.randn(8, 20), torch.zeros(8, dtype=torch.long)
    assert forward_flops(model, batch) == 2 * 8 * (20 * 30 + 30 * 3)


def test_counts_a_gpts_weights_twice_a_token(build):
    sizes = ("model.vocabulary_size=64", "model.context_size=8", "model.layers=2")
    model = build("model=gpt", *sizes, "model.embedding_size=64")
    text = torch.zeros(3, 8, dtype=torch.long)
    matrices = 2 * 12 * 64 * 64 + 64 * 64  # two blocks, and the unembedding
    counted = forward_flops(model, (text, text))
    assert counted >= 2 * 24 * matrices
    assert counted == pytest.approx(2 * 24 * matrices, rel=0.03)  # and attention


def test_changes_neither_mode_nor_gradients(build):
    model = build("model=mlp", "model.input_size=2", "model.classes=2").train()
    forward_flops(model, (torch.randn(4, 2), torch.zeros(4, dtype=torch.long)))
    assert model.training
    assert all(weight.grad is None for weight in model.parameters())


def test_a_run_logs_its_rate_and_the_share_of_the_peak(nnlab):
    answer = nnlab(
        *("callback=[throughput]", "callback.throughput.peak_flops=1e9"),
        *("trainer.max_epochs=2", "data.repeats=20", "+trainer.log_every_n_steps=5"),
        *("pictures=0", "folder=run"),
    )
    assert answer.status == 0, answer.err
    with open("run/metrics.jsonl") as file:  # noqa: PTH123
        rows = [json.loads(line) for line in file]
    rates = [row for row in rows if "throughput/examples_per_second" in row]
    assert [row["step"] for row in rates] == [5, 10, 15, 20, 25, 30, 35, 40]
    for row in rates:
        rate, share = (
            row[f"throughput/{n}"] for n in ("examples_per_second", "utilisation")
        )
        flops = 3 * 2 * (2 * 64 + 64 * 2)  # the default MLP: 2-64-2
        assert share == pytest.approx(rate * flops / 1e9)
