"""A run in Python: what it computes is what the run itself has told."""

import random
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning import Trainer
from reliability.everything import MODELS

from nnlab import load
from nnlab.cli import main
from nnlab.errors import UserError
from nnlab.model.lenet5 import LeNet5
from nnlab.model.mlp import MLP

QUIET = ("pictures=0", "logger=[]")
LENET = ("model=lenet5", "data=digits", "model.sizes=[2,4,8,8]", "data.repeats=1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Train a LeNet-5 whose best weights are an average, and not its last."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    words = (*LENET, "callback=[ema]", "trainer.max_epochs=3", "optimizer.lr=0.02")
    assert main([*words, *QUIET, f"folder={folder}"]) == 0
    return folder


@pytest.fixture
def run(trained):
    return load(trained)


def judged(run):
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False,
        limit_test_batches=run.config["trainer"].get("limit_test_batches", 1.0),
    )  # fmt: skip
    trainer.test(run.model, run.data, verbose=False)
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_tested_by_lightning_to_the_numbers_of_its_run(
    nnlab, tmp_path, name
):
    answer = nnlab(*MODELS[name], *QUIET, "folder=run")
    assert answer.status == 0, answer.err
    run = load(tmp_path / "run")
    batch = next(run.batches("test"))
    with torch.no_grad():
        assert torch.isfinite(run.model(batch[0])).all()
    assert judged(run) == run.metrics
    assert run.metrics.keys() >= {"test/loss"}


def test_the_share_of_right_answers_is_the_accuracy_of_the_run(run):
    right = [
        run.model(image).argmax(dim=1) == digit for image, digit in run.batches("test")
    ]
    assert not run.model.training
    share = torch.cat(right).float().mean()
    assert float(share) == run.result["metrics"]["test/accuracy"]


def test_images_are_prepared_by_the_data_and_not_by_the_model(run):
    image, _ = next(run.batches("test"))
    raw, digit = next(iter(run.data.test_dataloader()))
    assert torch.equal(run.data.prepare((raw, digit))[0], image)
    by_hand = (raw[:, None] / 255 - 0.3052) / 0.3245  # conf/data/digits.yaml
    torch.testing.assert_close(image, by_hand, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("which", ["best", "last"])
def test_a_checkpoint_is_named_or_is_by_itself(trained, tmp_path, which):
    by_name = load(str(trained), checkpoint=which)
    content = torch.load(trained / f"checkpoints/{which}.ckpt", weights_only=True)
    assert is_alike(by_name.model.state_dict(), content["state_dict"])
    alone = shutil.copy(by_name.checkpoint, tmp_path / "alone.ckpt")
    by_file = load(alone)
    assert is_alike(by_file.model.state_dict(), content["state_dict"])
    assert (by_file.config, by_file.result) == (by_name.config, {})
    assert load(by_name.checkpoint).result == by_name.result != {}


def test_the_averaged_weights_are_what_is_loaded(trained):
    state = torch.load(trained / "checkpoints/last.ckpt", weights_only=True)
    trained_on = state["callbacks"]["EMA"]["trained"]
    averaged = load(trained, checkpoint="last").model.state_dict()
    assert not is_alike(averaged, trained_on)


def test_the_newest_run_is_found_below_outputs(nnlab, capfd):
    assert nnlab(*QUIET, "trainer.max_epochs=1").status == 0
    run = load("latest")
    assert run.path.parent == Path("outputs/mlp_xor")
    assert str(run.path) in capfd.readouterr().err


def test_loading_leaves_all_as_it_was(trained):
    def state():
        files = {
            file: (file.stat().st_mtime_ns, file.read_bytes())
            for file in trained.rglob("*")
            if file.is_file()
        }
        return (
            files,
            sorted(trained.rglob("*")),
            torch.get_rng_state().tolist(),
            random.getstate(),
            np.random.get_state()[1].tolist(),
            torch.get_num_threads(),
            [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
            torch.is_grad_enabled(),
        )

    before = state()
    run = load(trained)
    next(run.batches("train"))
    assert state() == before


def test_a_thread_may_load(trained):
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(load, trained).result()
    assert judged(run) == run.metrics


def test_a_run_without_its_data_has_a_model_all_the_same(nnlab, tmp_path):
    (tmp_path / "book.txt").write_text("the cat sat on the mat and the dog " * 30)
    sizes = ("embedding_size=8", "layers=1", "heads=1")
    answer = nnlab(
        *("model=gpt", "data=text", "data.path=book.txt", "callback=[]", "folder=run"),
        *(f"model.{size}" for size in sizes),
        *("data.context_size=8", "data.batches_per_epoch=2", "trainer.max_epochs=1"),
        *QUIET,
    )
    assert answer.status == 0, answer.err
    (tmp_path / "book.txt").unlink()
    run = load("run")
    tokenizer = run.data.tokenizer
    ids = tokenizer.encode("the dog")
    assert tokenizer.decode(ids) == "the dog"
    scores = run.model(torch.tensor([ids]))
    assert scores.shape == (1, len("the dog"), tokenizer.vocabulary_size)
    with pytest.raises(UserError, match=r"book\.txt"):
        run.batches("test")


def test_lightning_loads_a_checkpoint_by_its_own_way(trained, run):
    model = LeNet5.load_from_checkpoint(trained / "checkpoints/best.ckpt")
    assert is_alike(model.state_dict(), run.model.state_dict())
    image, _ = next(run.batches("test"))
    assert torch.equal(model.eval()(image), run.model(image))


def test_the_checkpoint_of_another_model_says_where_to_turn(trained):
    with pytest.raises(UserError, match=r"nnlab\.load\('.*best\.ckpt'\)\.model"):
        MLP.load_from_checkpoint(trained / "checkpoints/best.ckpt")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"run": "nowhere"}, "there is no folder nowhere"),
        ({"run": "trained", "checkpoint": "frist"}, "must be best or last"),
        ({"run": __file__}, "is not a whole checkpoint"),
        ({"run": Path(__file__).parent}, "is no run's folder"),
    ],
)
def test_a_mistake_is_one_sentence(trained, words, said):
    given = {**words, "run": trained if words["run"] == "trained" else words["run"]}
    with pytest.raises(UserError, match=said) as error:
        load(**given)
    assert "\n" not in str(error.value)


def test_a_split_that_there_is_not_is_refused(run):
    with pytest.raises(UserError, match="split=validation must be train, val or test"):
        run.batches("validation")


def test_to_import_nnlab_imports_neither_torch_nor_hydra():
    code = "import sys, nnlab; nnlab.load; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert (
        loaded & {"torch", "lightning", "hydra", "omegaconf", "numpy", "yaml"} == set()
    )
    assert {name for name in done.stdout.split() if name.startswith("nnlab.")} == set()


def is_alike(one, other):
    return one.keys() == other.keys() and all(one[k].equal(other[k]) for k in one)
