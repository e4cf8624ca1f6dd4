"""What is known to be wrong together is refused in one sentence, nothing written."""

from pathlib import Path

import pytest

from nnlab.combination import not_with

FP16 = "precision=fp16"
TORCH_ADAM = ("optimizer._target_=torch.optim.AdamW", "+optimizer.fused=true")
PLUGIN = """\
from collections.abc import Mapping
from typing import ClassVar

from lightning import Callback


class Whole(Callback):
    not_with: ClassVar[Mapping[str, str]] = {"sharded": "it needs whole weights"}


class Loud(Callback):
    brings: ClassVar[frozenset[str]] = frozenset({"noise"})


class Quiet(Callback):
    not_with: ClassVar[Mapping[str, str]] = {"noise": "it hears every pin"}


class Renaming(Callback):
    not_with: ClassVar[Mapping[str, str]] = {"earlier weights": "it renames weights"}


class Looking(Callback):
    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        pass
"""


@pytest.fixture(autouse=True)
def stranger(tmp_path_factory, monkeypatch) -> None:
    """Offer callbacks of a plugin that nnlab has never heard of."""
    plugin = tmp_path_factory.mktemp("plugins") / "stranger"
    (plugin / "conf/callback").mkdir(parents=True)
    (plugin / "code.py").write_text(PLUGIN)
    manifest = 'api = 1\nname = "stranger"\nversion = "1"\nsummary = "Strange."\n'
    (plugin / "nnlab-plugin.toml").write_text(manifest)
    for name in ("Whole", "Loud", "Quiet", "Renaming", "Looking"):
        (plugin / f"conf/callback/{name.lower()}.yaml").write_text(
            f"# @package callback.{name.lower()}\n# Strange.\n"
            f"_target_: nnlab.ext.stranger.code.{name}\n"
        )
    monkeypatch.setenv("NNLAB_PLUGINS", str(plugin))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("model=gan", "data=digits", "callback=swa"),
            "callback=swa does not go with model=gan: ",
        ),
        (
            ("model=gan", "data=digits", "callback=[compile]"),
            "model=gan does not go with callback=compile: ",
        ),
        (
            ("model=mlp", "regularizer=jacobian", "callback=[compile]"),
            "regularizer=jacobian does not go with callback=compile: ",
        ),
        (
            ("model=mlp", "regularizer=gradient_penalty", "callback=[compile]"),
            "regularizer=gradient_penalty does not go with callback=compile: ",
        ),
        (
            ("model=gan", "data=digits", "callback=ema"),
            "callback=ema does not go with model=gan: ",
        ),
        (
            ("callback=ema", "strategy=fsdp2", "trainer.devices=2"),
            "callback=ema does not go with strategy=fsdp2: ",
        ),
        (
            ("callback=swa", "strategy=fsdp2", "trainer.devices=2"),
            "callback=swa does not go with strategy=fsdp2: ",
        ),
        (
            ("regularizer=sam", FP16),
            "regularizer=sam does not go with precision=fp16: ",
        ),
        (
            ("regularizer=sam", "trainer.accumulate_grad_batches=2"),
            "regularizer=sam does not go with trainer.accumulate_grad_batches=2: ",
        ),
        (
            ("regularizer=sam", "strategy=fsdp2", "trainer.devices=2"),
            "regularizer=sam does not go with strategy=fsdp2: ",
        ),
        (
            ("regularizer=l1", FP16, *TORCH_ADAM),
            "regularizer=l1 does not go with optimizer.fused=true and float16: ",
        ),
        (
            ("callback=looking", FP16, *TORCH_ADAM),
            "callback=looking does not go with optimizer.fused=true and float16: ",
        ),
        (
            ("callback=whole", "strategy=fsdp2", "trainer.devices=2"),
            "callback=whole does not go with strategy=fsdp2: it needs whole weights",
        ),
        (
            ("callback=[loud,quiet]",),
            "callback=quiet does not go with callback=loud: it hears every pin",
        ),
        (
            ("precision=fp64", "strategy=fsdp2", "trainer.devices=2"),
            "strategy=fsdp2 does not go with precision=fp64: ",
        ),
        (
            ("strategy=ddp_fork", "trainer.devices=2", "threads=2"),
            "strategy=ddp_fork copies a process without its other threads, which "
            "threads=2 may have; use threads=1 or strategy=ddp",
        ),
        (
            ("strategy=deepspeed", "trainer.devices=2"),
            "strategy=deepspeed needs DeepSpeed, which is not installed; "
            "pip install 'nnlab[deepspeed]'",
        ),
        (("trainer.devices=99",), "trainer.devices=99 is more than there are here: "),
        (
            ("strategy=ddp", "trainer.num_nodes=2"),
            "trainer.num_nodes=2 waits for other machines, and this is not started by "
            "torchrun or Slurm's srun",
        ),
        (
            ("trainer.devices=2", "data.repeats=5", "data.batch_size=11"),
            "data.batch_size=11 is more than the 10 training examples of a process; "
            "give at most 10",
        ),
        (
            (
                *("model=gan", "data=digits", "data.mean=0"),
                *("data.standard_deviation=1", "model.loss=wasserstein_gp"),
                "model.discriminator_steps=5",
                *("model.judged_in_training=64", "strategy=ddp", "trainer.devices=2"),
            ),
            "model=gan has steps that give ",
        ),
    ],
)
def test_it_is_refused_before_there_is_a_folder(words, sentence, nnlab, tmp_path):
    answer = nnlab(*words)
    assert answer.status == 2
    assert answer.err.startswith(f"nnlab: {sentence}"), answer.err
    assert answer.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_weights_from_before_are_refused_by_what_renames_weights(nnlab, no_pictures):
    tiny = ("data.repeats=1", "trainer.max_epochs=1", "pictures=0", "logger=[]")
    assert nnlab(*tiny, "folder=before").status == 0
    answer = nnlab(*tiny, "callback=renaming", "transfer.run=before", "folder=after")
    assert answer.status == 2
    assert answer.err == (
        "nnlab: callback=renaming does not go with transfer.run=before: it renames "
        "weights\n"
    )
    assert not Path("after").exists()


def test_what_goes_together_is_not_refused(nnlab, no_pictures):
    tiny = ("data.repeats=1", "trainer.max_epochs=1", "pictures=0", "logger=[]")
    answer = nnlab(*tiny, "callback=[whole,loud,looking,renaming]", FP16)
    assert answer.status == 0, answer.err


def test_a_class_inherits_what_lightnings_own_would_declare():
    from lightning.pytorch.callbacks import EMAWeightAveraging

    assert "sharded" in not_with(EMAWeightAveraging)
