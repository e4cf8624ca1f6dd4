"""The smallest weights become zeros, and stay so in every checkpoint."""

from pathlib import Path

import pytest
import torch
from nnlab.ext.callback.pruning import Pruning
from torch import nn

from .conftest import checkpoint, rows

SHORT = ("data.repeats=10", "trainer.max_epochs=2", "pictures=0", "logger=[]")
CHOSEN = ("callback=[pruning]", "callback.pruning.every_n_steps=1")


def pruning(**changed) -> Pruning:
    numbers = {
        **{"sparsity": 0.5, "scope": "global", "begin": 0.2, "end": 0.6},
        **{"every_n_steps": 1, "include": ["*"], "exclude": []},
    }
    return Pruning(**{**numbers, **changed})


def test_the_share_of_zeros_grows_by_zhu_and_guptas_cubic():
    callback = pruning(sparsity=0.8)
    assert callback.share_at(0.1) == 0
    assert callback.share_at(0.2) == 0
    assert callback.share_at(0.4) == pytest.approx(0.8 * (1 - 0.5**3))
    assert callback.share_at(0.6) == callback.share_at(1) == pytest.approx(0.8)
    assert pruning(begin=0.5, end=0.5).share_at(0.5) == 0.5


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_the_smallest_are_pruned(scope):
    layers = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    callback = pruning(scope=scope)
    callback._chosen = callback._choose(layers)
    callback.masks = {
        name: torch.ones_like(weight, dtype=torch.bool)
        for name, weight in callback._chosen.items()
    }
    sizes = {name: weight.detach().abs() for name, weight in callback._chosen.items()}
    assert {*sizes} == {"0.weight", "1.weight"}, "biases are left alone"
    callback._prune(0.4)
    callback._apply()
    groups = [[*sizes]] if scope == "global" else [[name] for name in sizes]
    for names in groups:
        flat = torch.cat([sizes[name].flatten() for name in names])
        limit = flat.sort().values[round(0.4 * len(flat)) - 1]
        for name in names:
            zeros = callback._chosen[name] == 0
            assert torch.equal(zeros, sizes[name] <= limit)


def test_pruned_weights_stay_zero_and_the_sparsity_is_reported(nnlab):
    answer = nnlab(
        *SHORT,
        *CHOSEN,
        *("callback.pruning.sparsity=0.75", "callback.pruning.end=0.5"),
        *("callback.pruning.exclude=[output*]", "folder=run"),
    )
    assert answer.status == 0, answer.err
    content = checkpoint()
    weight = content["state_dict"]["hidden.0.weight"]  # (64, 2)
    assert (weight == 0).sum() == round(0.75 * weight.numel())
    assert (content["state_dict"]["output.weight"] != 0).all()
    reported = [row["pruning/sparsity"] for row in rows() if "pruning/sparsity" in row]
    assert reported == sorted(reported)
    assert reported[-1] == pytest.approx(0.75)
    [picture] = Path("run/figures/over_training").glob("pruning_*.png")
    assert picture.name == "pruning_00000020.png"


def test_a_killed_run_continues_to_the_same_bits(killed_and_continued):
    words = ("callback.pruning.begin=0.1", "callback.pruning.every_n_steps=4")
    assert killed_and_continued("callback=[pruning]", *words, at_batch=19)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("include=[hiden*]",), "matches none of the model's weights"),
        (("begin=0.9", "end=0.2"), "must not come after callback.pruning.end=0.2"),
        (("sparsity=1",), "must be less than 1"),
        (("scope=all",), "callback.pruning.scope=all must be"),
    ],
)
def test_wrong_uses_are_one_sentence(words, said, nnlab):
    answer = nnlab(*CHOSEN[:1], *(f"callback.pruning.{word}" for word in words))
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
