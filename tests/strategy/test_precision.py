"""Each precision computes with its own numbers, on a CPU too."""

import json
from pathlib import Path

import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision

from nnlab.place import ALONE
from nnlab.record import Record
from nnlab.trainer import QUIET, make_trainer, start_of

WORDS = (
    *("model=mlp", "data=digits", "trainer.max_epochs=1"),
    "+trainer.limit_train_batches=4",
)
CPU = {"accelerator": "cpu", "devices": 1}


@pytest.fixture
def seen(monkeypatch) -> dict[str, object]:
    """What training was seen to compute with."""
    seen: dict[str, object] = {}
    before = Record.on_train_batch_end

    def look(self, trainer, module, outputs, batch, batch_idx):
        before(self, trainer, module, outputs, batch, batch_idx)
        weight = next(module.parameters())
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        with trainer.precision_plugin.forward_context():
            product = torch.nn.functional.linear(weight, weight)
        seen.update(
            weight=weight.dtype,
            batch=batch[0].dtype,
            product=product.dtype,
            scale=None if scaler is None else scaler.get_scale(),
        )

    monkeypatch.setattr(Record, "on_train_batch_end", look)
    return seen


@pytest.mark.parametrize(
    ("precision", "weight", "product", "scale"),
    [
        ("fp32", torch.float32, torch.float32, None),
        ("tf32", torch.float32, torch.float32, None),
        ("bf16", torch.float32, torch.bfloat16, None),
        ("bf16_true", torch.bfloat16, torch.bfloat16, None),
        ("fp16", torch.float32, torch.float16, 65536.0),
        ("fp64", torch.float64, torch.float64, None),
    ],
)
def test_a_run_computes_with_the_numbers_it_was_asked_for(
    precision, weight, product, scale, train, seen, nnlab
):
    run = train("run", *WORDS, f"precision={precision}")
    assert seen["weight"] == weight
    assert seen["batch"] == weight, "what a model is given is of its own type"
    assert seen["product"] == product
    assert seen["scale"] == scale
    answer = nnlab("test", f"run={run}")
    assert answer.status == 0, answer.err
    tested = json.loads(Path(run, "result.json").read_text())["metrics"]
    words = answer.out.split()
    loss = float(words[words.index("test/loss") + 1])
    assert loss == pytest.approx(tested["test/loss"], rel=1e-5)


def test_float64_is_more_exact_than_float32_and_goes_the_same_way(train, distance):
    single, double = (train(p, *WORDS, f"precision={p}") for p in ("fp32", "fp64"))
    assert 0 < distance(single, double) < 1e-4


@pytest.mark.parametrize("name", ["16-mixed", "16", 16])
def test_float16_on_a_cpu_is_float16_with_a_scaler(name):
    plugin = make_trainer({**CPU, "precision": name}, ALONE, **QUIET).precision_plugin
    assert isinstance(plugin, MixedPrecision)
    assert plugin.precision == "16-mixed"
    assert plugin.scaler is not None
    with plugin.forward_context():
        weight = torch.ones(2, 2)
        assert (weight @ weight).dtype == torch.float16


@pytest.mark.parametrize(
    ("strategy", "start"),
    [
        ("ddp", "command"),
        ("ddp_fork", "fork"),
        ("ddp_spawn_find_unused_parameters_true", "spawn"),
        ("auto", "command"),
        (None, "command"),
    ],
)
def test_lightnings_own_names_say_how_processes_start(strategy, start):
    assert start_of(strategy) == start
