"""A run begins with another's body: what is taken, what is frozen, what is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from nnlab.checkpoint import read_checkpoint
from nnlab.cli import main
from nnlab.transfer import transfer

HIDDEN = ("model=mlp", "model.hidden_sizes=[8,6]", "data=digits", "data.image_size=8")
QUICK = (
    *HIDDEN,
    "data.repeats=1",
    "trainer.max_epochs=2",
    "pictures=0",
    "logger=[]",
)
LAYERS = ["hidden.0", "hidden.3", "output"]


def weights(folder: Path, which: str = "last") -> dict[str, torch.Tensor]:
    return read_checkpoint(folder / f"checkpoints/{which}.ckpt")["state_dict"]


def equal_layers(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [
        layer
        for layer in LAYERS
        if all(
            one[f"{layer}.{p}"].equal(other[f"{layer}.{p}"]) for p in ("weight", "bias")
        )
    ]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train on the digits 0-4, once; return the run's folder."""
    folder = tmp_path_factory.mktemp("trained") / "source"
    assert main([*QUICK, "data.classes=[0,1,2,3,4]", f"folder={folder}"]) == 0
    return folder


@pytest.fixture
def source(trained: Path, tmp_path: Path) -> Path:
    """Return a copy of the run's folder, named `source` in the current one."""
    return shutil.copytree(trained, tmp_path / "source")


def learn(nnlab: Callable[..., Any], *words: str) -> Any:
    return nnlab(*QUICK, "data.classes=[5,6,7,8,9]", "transfer.run=source", *words)


@pytest.mark.parametrize(
    ("freeze", "kept"), [("all", LAYERS[:2]), (-1, LAYERS[:1]), (1, LAYERS[:1])]
)
def test_frozen_layers_end_bit_equal_to_the_best_of_the_source(
    nnlab, source, tmp_path, freeze, kept
):
    answer = learn(nnlab, f"transfer.freeze={freeze}", "folder=new")
    assert answer.status == 0, answer.err
    assert equal_layers(weights(tmp_path / "new"), weights(source, "best")) == kept
    learned = sum(
        w.numel()
        for name, w in weights(source).items()
        if name.rpartition(".")[0] not in kept
    )
    result = json.loads((tmp_path / "new/result.json").read_text())
    assert result["trainable"] == learned
    assert result["parameters"] == sum(w.numel() for w in weights(source).values())
    assert f" parameters, {learned:,} of them learn" in answer.out
    said = f"the body of source: hidden.0, hidden.3; frozen: {', '.join(kept)}; new"
    assert said in answer.out


def test_what_a_callback_freezes_is_said_as_frozen(nnlab, source):
    words = ("callback=[freeze]", "callback.freeze.exclude=[output*,hidden.3.bias]")
    answer = learn(nnlab, *words, "callback.freeze.include=['*']", "folder=new")
    assert answer.status == 0, answer.err
    assert "frozen: hidden.0, hidden.3.weight; new: output" in answer.out


def test_it_begins_with_the_body_of_the_source_and_the_head_of_its_own_seed(
    nnlab, source, tmp_path, build, monkeypatch
):
    from nnlab import run

    begun: dict[str, torch.Tensor] = {}

    def noting(parts: Any, *, is_begun: bool) -> str | None:
        said = transfer(parts, is_begun=is_begun)
        begun.update({k: w.clone() for k, w in parts.model.state_dict().items()})
        return said

    monkeypatch.setattr(run, "transfer", noting)
    assert learn(nnlab, "seed=3", "folder=new").status == 0
    assert equal_layers(begun, weights(source, "best")) == LAYERS[:2]
    torch.manual_seed(3)
    fresh = build(*HIDDEN, "model.classes=5", "model.input_size=64").state_dict()
    assert equal_layers(begun, fresh) == LAYERS[2:]


def test_all_layers_may_be_taken_and_a_checkpoint_named(nnlab, source, tmp_path):
    answer = nnlab(
        *QUICK,
        "data.classes=[5,6,7,8,9]",
        "transfer.run=source/checkpoints/last.ckpt",
        "transfer.head=[]",
        "transfer.freeze=-1",
        "folder=new",
    )
    assert answer.status == 0, answer.err
    assert equal_layers(weights(tmp_path / "new"), weights(source)) == LAYERS[:2]


def test_a_new_run_needs_its_source_no_more(nnlab, source, tmp_path):
    straight = ("transfer.freeze=1", "trainer.max_epochs=4", "schedule=constant")
    quick = [word for word in QUICK if not word.startswith("trainer.")]
    words = (*quick, "data.classes=[5,6,7,8,9]", "transfer.run=source", *straight)
    assert nnlab(*words, "folder=whole").status == 0
    assert learn(nnlab, "transfer.freeze=1", "folder=halved").status == 0
    shutil.rmtree(source)
    assert nnlab("resume=halved", "trainer.max_epochs=4").status == 0
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "halved")
    assert equal_layers(one, other) == LAYERS
    assert nnlab("test", "run=halved").status == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["transfer.run=nowhere"], "transfer.run=nowhere: there is no folder nowhere"),
        (
            ["model.hidden_sizes=[8,7]"],
            "weight of its layer hidden.3 has the shape "
            "(6, 8), and this model's (7, 8)",
        ),
        (["model.hidden_sizes=[8,6,6]"], "no weight of the layer hidden.6"),
        (["model.hidden_sizes=[8]"], "it has a layer hidden.3, and this model none"),
        (
            ["data.image_size=9"],
            "layer hidden.0 has the shape (8, 64), and this model's (8, 81)",
        ),
        (["transfer.head=[]"], None),
        (
            ["transfer.freeze=3"],
            "more than the 2 layers of the body (hidden.0, hidden.3)",
        ),
        (["transfer.freeze=-3"], "more than the 2 layers of the body"),
        (["transfer.head=[hiden]"], "did you mean hidden"),
        (["model.hidden_sizes=[]"], "all head (output)"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_nothing_is_written(
    nnlab, source, words, why
):
    if why is None:  # five classes there, ten here
        given = [*QUICK, "transfer.run=source", *words]
        why = "layer output has the shape (5, 6), and this model's (10, 6)"
    else:
        keys = {word.partition("=")[0] for word in words}
        given = [*QUICK, "data.classes=[5,6,7,8,9]", "transfer.run=source"]
        given = [w for w in given if w.partition("=")[0] not in keys] + words
    answer = nnlab(*given)
    assert answer.status == 2
    assert why in answer.err
    assert answer.err.count("\n") == 1
    assert not Path("outputs").exists()


def test_another_model_and_an_unfinished_run_are_refused(nnlab, source):
    answer = nnlab("model=lenet5", "data=digits", "transfer.run=source")
    assert (answer.status, "source is a run of mlp" in answer.err) == (2, True)
    (source / "status.json").write_text('{"status": "interrupted", "cause": null}')
    answer = learn(nnlab)
    assert answer.status == 2
    assert "is interrupted, not complete; finish it with resume=source" in answer.err


def test_another_function_of_the_same_weights_is_said(nnlab, source):
    answer = learn(nnlab, "model.activation=relu", "folder=new")
    assert "model.activation is relu here and was tanh there" in answer.out


def test_freezing_without_a_run_is_refused(nnlab):
    answer = nnlab(*QUICK, "transfer.freeze=all")
    assert answer.status == 2
    assert "name it by transfer.run=" in answer.err
