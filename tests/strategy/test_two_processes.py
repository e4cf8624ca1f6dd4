"""Two processes learn what one does, and write it once."""

import json
import math
from pathlib import Path

import pytest
import torch

from nnlab.build import build_model

SLOW = pytest.mark.slow
DDP = ("strategy=ddp_fork", "trainer.devices=2")
FSDP2 = ("strategy=fsdp2", "trainer.strategy.start=fork", "trainer.devices=2")
BOTH = {"ddp": DDP, "fsdp2": FSDP2}
MODELS = {
    "mlp": ("model=mlp", "data=digits", "trainer.max_epochs=3"),
    "lenet5": (
        *("model=lenet5", "data=digits", "trainer.max_epochs=1"),
        "+trainer.limit_train_batches=6",
    ),
    "gpt": (
        *("model=gpt", "data=pydocs", "data.context_size=16", "model.layers=2"),
        *("model.embedding_size=32", "callback=[]", "trainer.max_steps=6"),
        *("trainer.max_epochs=-1", "data.batches_per_epoch=3"),
    ),
}
GAN = (
    *("model=gan", "model.variant=mlp", "data=digits", "model.judged=64"),
    *("model.judged_in_training=64", "data.mean=0.0", "data.standard_deviation=1.0"),
    *("trainer.max_epochs=1", "+trainer.limit_train_batches=4", "data.batch_size=16"),
)


def load(folder: Path, name: str = "result.json") -> dict:
    return json.loads((folder / name).read_text())


def batch_size(size: int) -> tuple[str, str]:
    return f"data.batch_size={size}", "data.evaluation_batch_size=128"


@pytest.mark.parametrize(
    ("model", "strategy"),
    [
        ("mlp", "ddp"),
        ("mlp", "fsdp2"),
        ("lenet5", "ddp"),
        ("gpt", "fsdp2"),
        pytest.param("lenet5", "fsdp2", marks=SLOW),
        pytest.param("gpt", "ddp", marks=SLOW),
    ],
)
def test_one_process_and_two_give_the_same_curve(model, strategy, train, distance):
    # 1,077 digits: the last batch holds three, which two processes share 1 to 2
    size = 358 if model == "mlp" else 50
    one = train("one", *MODELS[model], *batch_size(size))
    two = train("two", *MODELS[model], *batch_size(size // 2), *BOTH[strategy])
    assert distance(one, two) < 1e-5
    assert load(one)["steps"] == load(two)["steps"]


@pytest.mark.parametrize("strategy", ["ddp", pytest.param("fsdp2", marks=SLOW)])
def test_a_gan_trains_in_two_processes(strategy, train):
    run = train("run", *GAN, *BOTH[strategy])
    metrics = load(run)["metrics"]
    assert all(math.isfinite(value) for value in metrics.values())
    assert load(run)["remark"], "which its judge says, not its copy"


def test_a_sharded_run_is_rebuilt_by_one_process_from_its_checkpoint(train, nnlab):
    run = train("run", *MODELS["mlp"], *FSDP2)
    content = torch.load(run / "checkpoints/best.ckpt", weights_only=True)
    model = build_model(content["nnlab"]["config"], ())
    model.load_state_dict(content["state_dict"])
    answer = nnlab("test", f"run={run}")
    assert answer.status == 0, answer.err
    words = answer.out.split()
    for name, value in load(run)["metrics"].items():
        assert float(words[words.index(name) + 1]) == pytest.approx(value, rel=1e-4)


def test_a_sharded_run_goes_on_in_one_process(train, nnlab, distance):
    words = ("model=mlp", "data=digits", "optimizer=adamw")
    words = (*words, "+trainer.limit_train_batches=5")
    sharded = train("sharded", *words, *batch_size(25), *FSDP2, "trainer.max_epochs=1")
    answer = nnlab(
        f"resume={sharded}",
        "trainer.strategy=auto",
        "trainer.devices=1",
        "trainer.max_epochs=2",
    )
    assert answer.status == 0, answer.err
    whole = train("whole", *words, *batch_size(25), *DDP, "trainer.max_epochs=1")
    answer = nnlab(
        f"resume={whole}",
        "trainer.strategy=auto",
        "trainer.devices=1",
        "trainer.max_epochs=2",
    )
    assert answer.status == 0, answer.err
    assert distance(sharded, whole) < 1e-5
