"""What holds on a GPU as well: `pytest -m gpu -n 0 tests/gpu`, where there is one."""

import json
import os
import signal
import warnings
from pathlib import Path

import pytest
import torch
from lightning import Callback

from nnlab.callback.throughput import Throughput
from nnlab.data_module import DataModule
from nnlab.record import Record

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU"),
]
BASE = ("trainer=gpu", "pictures=0", "logger=[]")
ONCE = (*BASE, "trainer.max_epochs=1")
MODELS = {
    "perceptron": ["model=perceptron", "data.repeats=60"],
    "mlp": ["model=mlp", "data=digits"],
    "lenet5": ["model=lenet5", "data=digits"],
    "lstm_adder": ["model=lstm_adder", "data.train_pairs=8000"],
    "recurrent": ["model=recurrent", "data=adding_problem", "data.steps=20"],
    "siamese": ["model=siamese", "data=digits_pairs", "data.repeats=3"],
    "autoencoder": ["model=autoencoder", "data=digits"],
    "vae": ["model=autoencoder", "model.variant=variational", "data=digits"],
    "gan": ["model=gan", "data=digits", "data.repeats=3"],
    "gpt": ["model=gpt", "data.batches_per_epoch=60", "callback=[throughput]"],
}
COMPILED = ["model=gpt", "data.batches_per_epoch=60", "callback=[compile_gpu]"]


def result(folder: str = "run") -> dict:
    return json.loads(Path(folder, "result.json").read_text())


@pytest.mark.parametrize("name", MODELS)
def test_every_model_learns_on_a_gpu_in_bf16(name, nnlab):
    answer = nnlab(*ONCE, *MODELS[name], "folder=run")
    assert answer.status == 0, answer.err + Path("run/log.txt").read_text()[-3000:]
    assert all(
        value == value and abs(value) < 1e9 for value in result()["metrics"].values()
    )


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16", "bf16_true", "fp16"])
def test_every_precision_learns_the_digits_on_a_gpu(precision, nnlab):
    words = ("model=mlp", "data=digits", "trainer.max_epochs=5", "seed=1")
    answer = nnlab(*BASE, *words, f"precision={precision}", "folder=run")
    assert answer.status == 0, answer.err
    assert result()["metrics"]["test/accuracy"] > 0.85


@pytest.mark.parametrize("name", ["mlp", "lenet5", "autoencoder", "gpt"])
def test_a_gpu_computes_what_a_processor_computes(name, nnlab):
    # dropout draws other numbers there: these have none
    words = (*ONCE[1:], *MODELS[name], "precision=fp32", "trainer.max_steps=20")
    words += ("trainer.log_every_n_steps=1",)
    losses = {}
    for trainer in ("cpu", "gpu"):
        more = [f"folder={trainer}", f"trainer={trainer}"]
        assert nnlab(*words, *more).status == 0
        rows = map(json.loads, Path(trainer, "metrics.jsonl").read_text().splitlines())
        losses[trainer] = [row["train/loss"] for row in rows if "train/loss" in row]
    assert len(losses["gpu"]) >= 20
    assert losses["gpu"] == pytest.approx(losses["cpu"], rel=2e-3)


@pytest.mark.filterwarnings("ignore")  # the compiler's own
@pytest.mark.parametrize("name", ["lenet5", "vae", "gan", "gpt", "compiled gpt"])
def test_a_run_on_a_gpu_ended_by_a_signal_continues_to_the_same_bits(
    name, nnlab, monkeypatch
):
    model = MODELS.get(name, COMPILED)
    words = (*BASE, *model, "deterministic=true", "trainer.max_epochs=2")
    assert nnlab(*words, "folder=whole").status == 0
    before = Record.on_train_batch_end

    def end_at_17(self, trainer, *arguments):
        before(self, trainer, *arguments)
        if trainer.fit_loop.total_batch_idx + 1 == 17:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Record, "on_train_batch_end", end_at_17)
        assert nnlab(*words, "folder=ended").status == 143
    assert nnlab("resume=ended").status == 0
    whole, ended = (
        torch.load(f"{folder}/checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for folder in ("whole", "ended")
    )
    assert [key for key in whole if not torch.equal(whole[key], ended[key])] == []
    assert result("whole")["metrics"] == result("ended")["metrics"]


def set_sync_debug_mode(mode: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is a prototype
        torch.cuda.set_sync_debug_mode(mode)


class NoSynchronisation(Callback):
    """Makes torch raise where the host waits for the device in some steps' middle."""

    first, last = 5, 40  # before the first line of the log, at step 50

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if trainer.global_step == self.first:
            set_sync_debug_mode("error")

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if trainer.global_step == self.last:
            set_sync_debug_mode("default")
            Path("looked.txt").write_text("yes")


@pytest.fixture
def unsynchronised(monkeypatch):
    """Hold every run to it that no step waits for the device."""
    from nnlab import fit

    guard = fit.NanGuard

    class Both(guard):
        def __init__(self, **settings):
            super().__init__(**settings)
            self.watch = NoSynchronisation()

        def on_train_batch_start(self, *arguments):
            self.watch.on_train_batch_start(*arguments)
            super().on_train_batch_start(*arguments)

        def on_train_batch_end(self, *arguments):
            super().on_train_batch_end(*arguments)
            self.watch.on_train_batch_end(*arguments)

    monkeypatch.setattr(fit, "NanGuard", Both)
    yield
    set_sync_debug_mode("default")


@pytest.mark.parametrize("name", MODELS)
def test_no_step_waits_for_the_device(name, nnlab, unsynchronised):
    answer = nnlab(*BASE, *MODELS[name], "trainer.max_epochs=3", "folder=run")
    assert answer.status == 0, answer.err + Path("run/log.txt").read_text()[-3000:]
    assert Path("looked.txt").is_file()


def test_the_test_of_synchronisations_can_fail(nnlab, unsynchronised, monkeypatch):
    def waits(self, trainer, pl_module, outputs, batch, batch_idx):
        outputs["loss"].item()

    monkeypatch.setattr(Throughput, "on_train_batch_end", waits)
    answer = nnlab(*ONCE, *MODELS["mlp"], "callback=throughput", "folder=run")
    assert answer.status == 1
    assert "synchroni" in answer.err + Path("run/log.txt").read_text()


def test_small_data_lie_on_the_device_and_give_the_same_batches(build, monkeypatch):
    from types import SimpleNamespace

    for words in (["data=digits"], ["data=digits_pairs"], ["data=pydocs"]):
        tokenizer = ["tokenizer=byte"] if "pydocs" in words[0] else []
        here: DataModule = build(*words, *tokenizer, part="data")
        there: DataModule = build(*words, *tokenizer, part="data")
        strategy = SimpleNamespace(root_device=torch.device("cuda", 0))
        there.trainer = SimpleNamespace(  # pyright: ignore
            strategy=strategy, global_rank=0, world_size=1
        )
        for loader in ("train_dataloader", "val_dataloader"):
            one, other = (next(iter(getattr(d, loader)())) for d in (here, there))
            for left, right in zip(one, other, strict=True):
                assert right.device.type == "cuda"
                assert torch.equal(left.long(), right.cpu().long())


def test_a_loss_that_is_no_number_ends_a_run_on_a_gpu(nnlab):
    fast = ("optimizer=sgd", "optimizer.lr=1e4", "optimizer.weight_decay=1e4")
    answer = nnlab(*BASE, *MODELS["mlp"], *fast, "precision=fp32", "folder=run")
    assert answer.status == 1
    assert "nnlab: the loss is" in answer.err
    assert answer.err.count("\n") == 1


def test_a_gpu_without_memory_enough_is_answered_by_one_sentence(nnlab):
    _, size = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction(2**28 / size)  # a quarter of a GiB
    try:
        answer = nnlab(*BASE, "model=mlp", "model.hidden_sizes=[8000,8000]")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert answer.status in (1, 2)
    assert "memory" in answer.err
    assert "Traceback" not in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.filterwarnings("ignore")  # the compiler's own, by the dozen
@pytest.mark.parametrize("mode", ["compile_gpu", "compile"])
def test_a_compiled_step_learns_as_the_plain_one(mode, nnlab):
    gpt = ("model=gpt", "data.batches_per_epoch=60")
    words = (*ONCE, *gpt, "trainer.max_steps=30", "precision=fp32")
    for folder, callback in (("plain", "[]"), ("compiled", f"[{mode}]")):
        assert nnlab(*words, f"callback={callback}", f"folder={folder}").status == 0
    plain, compiled = (
        result(name)["metrics"]["test/loss"] for name in ("plain", "compiled")
    )
    assert compiled == pytest.approx(plain, rel=5e-3)
