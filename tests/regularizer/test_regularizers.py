"""Regularizers on the command line: chosen, combined, refused, continued."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from nnlab.cli import main
from nnlab.record import Record

SHORT = ("trainer.max_epochs=1", "data.repeats=2", "pictures=0", "logger=[]")
DIGITS = ("model=lenet5", "data=digits", "trainer=debug", "pictures=0", "logger=[]")


def logged(folder: str) -> set[str]:
    rows = Path(folder, "metrics.jsonl").read_text().splitlines()
    return {name for row in rows for name in json.loads(row) if "regularizer" in name}


def weights(folder: str) -> dict[str, torch.Tensor]:
    file = Path(folder, "checkpoints/last.ckpt")
    return torch.load(file, weights_only=True)["state_dict"]


def alike(one: str, other: str) -> bool:
    first, second = weights(one), weights(other)
    return all(torch.equal(first[name], second[name]) for name in first)


def test_several_at_once_and_one_of_them_with_another_number(nnlab):
    words = ("regularizer=[l1,dropout]", "regularizer.l1.weight=1e-2", *SHORT)
    assert nnlab(*words, "folder=both").status == 0
    assert logged("both") == {"regularizer/l1", "regularizer/dropout"}
    plugins = json.loads(Path("both/environment.json").read_text())["plugins"]
    assert [plugin["name"] for plugin in plugins] == ["regularizer"]


def test_none_an_empty_list_and_null_are_no_regularizer(nnlab):
    spellings = ("regularizer=none", "regularizer=[]", "regularizer=null")
    for place, words in enumerate(((), *((word,) for word in spellings))):
        assert nnlab(*words, *SHORT, f"folder=run{place}").status == 0
        assert logged(f"run{place}") == set()
        assert alike(f"run{place}", "run0")


WRONG = {
    "regularizer=l11": "no regularizer called 'l11'; did you mean l1?",
    "regularizer.l1.weight=1": "choose it: regularizer=[l1]",
    "regularizer=l1 regularizer.l1.weigth=1": "did you mean regularizer.l1.weight?",
    "regularizer=l1 regularizer.l1.weight=-1": "must be greater than or equal to 0",
    "regularizer=l1 regularizer.l1.include=[f9.*]": "matches none of the model's weig",
    "regularizer=l1 regularizer.l1.include=f6.weight": "must be a list",
    "regularizer=l1 regularizer.l1.exclude=['*']": "leaves none of the model's weigh",
    "regularizer=dropout regularizer.dropout.rate=1": "must be less than 1",
    "regularizer=stochastic_depth": "matches none of the model's layers",
    "regularizer=cutout regularizer.cutout.size=40": "more than the images' 28x28",
    "regularizer=[mixup,cutmix]": "[mixup,cutmix] mixes each example twice; keep one",
    "regularizer=sam +trainer.accumulate_grad_batches=2": "a larger data.batch_size",
    "regularizer=sam model=gan": "downhill for the other",
    "regularizer=early_stopping regularizer.early_stopping.monitor=val/los": "is not m",
    "regularizer=label_smoothing model=autoencoder": "changes a cross-entropy, and Au",
    "regularizer=mixup model=siamese data=digits_pairs": "learns from batches of anot",
    "regularizer=spectral_norm model=gan": "name them in regularizer.spectral_norm.in",
    "regularizer=max_norm regularizer.max_norm.include=['*bias'] "
    "regularizer.max_norm.exclude=[]": "matches no matrix and no filter",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_use_gets_one_sentence_and_writes_nothing(words, nnlab):
    given = {word.partition("=")[0]: word for word in (*DIGITS, *words.split())}
    answer = nnlab(*given.values(), "output_dir=written")
    assert answer.status == 2, answer.out
    assert WRONG[words] in answer.err
    assert answer.err.count("\n") == 1
    assert not Path("written").exists()


def test_early_stopping_stops_and_draws_where_overfitting_began(nnlab):
    words = (
        *("model=mlp", "data=digits", "model.hidden_sizes=[100]", "optimizer.lr=0.05"),
        *("trainer.max_epochs=40", "+trainer.limit_train_batches=5", "pictures=0"),
        *("regularizer=early_stopping", "regularizer.early_stopping.patience=2"),
        *("callback=[]", "logger=[]", "folder=stopped"),
    )
    answer = nnlab(*words)
    assert answer.status == 0
    result = json.loads(Path("stopped/result.json").read_text())
    best = result["best_epoch"]
    assert result["epochs"] == best + 2 < 40
    assert (
        f"val/loss was best after epoch {best}" in Path("stopped/log.txt").read_text()
    )
    assert Path("stopped/figures/early_stopping.png").stat().st_size > 5000


def test_a_checkpoint_is_the_models_own_whatever_regularized_it(nnlab):
    words = (*SHORT, "regularizer=[weight_norm,dropout]", "folder=normed")
    assert nnlab(*words).status == 0
    assert {*weights("normed")} == {
        *("hidden.0.weight", "hidden.0.bias", "output.weight", "output.bias")
    }
    result = json.loads(Path("normed/result.json").read_text())
    answer = nnlab("test", "run=normed")
    assert answer.status == 0
    assert f"{result['metrics']['test/loss']:.6g}" in answer.out


def end_at(batch: int, *words: str) -> int:
    """Run a command in a process of its own that is killed after some batches."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    before = Record.on_train_batch_end

    def deadly(self: Record, trainer: Any, *arguments: Any) -> None:
        before(self, trainer, *arguments)
        if trainer.fit_loop.total_batch_idx + 1 == batch:
            os.kill(os.getpid(), signal.SIGKILL)

    Record.on_train_batch_end = deadly  # type: ignore[method-assign]
    os._exit(main(words))


def content(folder: str) -> dict[str, Any]:
    file = Path(folder, "checkpoints/last.ckpt")
    found = torch.load(file, weights_only=True)
    found["callbacks"]["Checkpoints"].pop("spent_seconds")
    found.pop("nnlab")
    return found


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [place]
    if isinstance(one, dict) and one.keys() == other.keys():
        pairs = [(f"{place}/{key}", one[key], other[key]) for key in one]
    elif isinstance(one, list | tuple) and len(one) == len(other):
        rows = enumerate(zip(one, other, strict=True))
        pairs = [(f"{place}/{index}", *pair) for index, pair in rows]
    else:  # nan is nan
        return [] if repr(one) == repr(other) else [place]
    return [found for name, a, b in pairs for found in differences(a, b, name)]


TOGETHER = (
    "[spectral_norm,dropout,mixup,label_smoothing,gradient_noise,max_norm]",
    "[weight_norm,sam,input_noise,l1_proximal,early_stopping]",
    "[drop_connect,weight_decay,l1,jacobian,confidence_penalty]",
)


@pytest.mark.parametrize("regularizers", TOGETHER)
def test_a_killed_run_continues_to_the_same_bits(regularizers, nnlab):
    words = (
        *(f"regularizer={regularizers}", "optimizer=momentum", "data.batch_size=3"),
        *("trainer.max_epochs=3", "data.repeats=3", "trainer.log_every_n_steps=2"),
        *("schedule=cosine", "checkpoint_seconds=0", "pictures=0", "logger=[]"),
    )
    assert nnlab(*words, "folder=undisturbed").status == 0
    assert end_at(7, *words, "folder=killed") == -signal.SIGKILL
    assert nnlab("resume=killed").status == 0
    assert differences(content("killed"), content("undisturbed")) == []
    rows = [Path(f, "metrics.jsonl").read_text() for f in ("killed", "undisturbed")]
    assert rows[0] == rows[1]


@pytest.mark.slow
def test_a_sweep_over_lists_runs_each_once(nnlab):
    words = ("-m", "regularizer=none,l1,[l1,dropout]", *SHORT, "output_dir=swept")
    answer = nnlab(*words)
    assert answer.status == 0
    found = [logged(str(file.parent)) for file in Path().rglob("metrics.jsonl")]
    assert sorted(map(len, found)) == [0, 1, 2]
