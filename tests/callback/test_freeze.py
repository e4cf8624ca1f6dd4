"""What is frozen stays as it is, to the bit; what joins learns from then on."""

import json
from pathlib import Path

import pytest
import torch
from nnlab.ext.callback.freeze import Freeze, Unfreeze
from torch import nn

from .conftest import checkpoint, rows

SHORT = ("data.repeats=5", "trainer.max_epochs=3", "pictures=0", "logger=[]")
DEEP = "model.hidden_sizes=[4,4]"


@pytest.fixture
def weights_by_epoch(nnlab):
    """Run, and return the weights at the ends of the epochs."""

    def run(*words: str) -> list[dict[str, torch.Tensor]]:
        answer = nnlab(*SHORT, DEEP, *words, "folder=run")
        assert answer.status == 0, answer.err
        names = [f"epoch_000{n}" for n in (1, 2, 3)]
        return [checkpoint("run", name)["state_dict"] for name in names]

    return run


def changed(one, other) -> set[str]:
    return {
        name.rpartition(".")[0]
        for name in one
        if not torch.equal(one[name], other[name])
    }


def test_frozen_weights_stay_to_the_bit_and_others_learn(weights_by_epoch, build):
    words = ("callback=[freeze,checkpoint_every_n_epochs]", "optimizer=adamw")
    first, _, last = weights_by_epoch(*words)
    assert changed(first, last) == {"output"}, "weight decay does not reach them either"


def test_a_run_counts_what_learns(nnlab):
    answer = nnlab(*SHORT, "callback=[freeze]", "folder=run")
    result = json.loads(Path("run/result.json").read_text())
    output = 2 * 64 + 2
    assert result["trainable"] == output < result["parameters"]
    said = f"{result['parameters']:,} parameters, {output:,} of them learn"
    assert answer.out.count(said) == 2, "at the start and at the end"
    assert said.replace(" parameters", "") in Path("run/report.html").read_text()


def test_layers_join_from_the_last_to_the_first(weights_by_epoch):
    first, second, third = weights_by_epoch(
        "callback=[unfreeze,checkpoint_every_n_epochs]"
    )
    assert changed(first, second) == {"hidden.3", "output"}
    assert changed(second, third) == {"hidden.0", "hidden.3", "output"}


def test_what_joins_when_is_counted_in_epochs():
    net = nn.Sequential(*(nn.Linear(1, 1) for _ in range(5)))
    slow = Unfreeze(include=["*"], exclude=["4*"], every_n_epochs=3, layers=2)
    frozen = [
        sorted({name[0] for name in slow.frozen_in(net, epoch)}) for epoch in range(7)
    ]
    assert frozen == [["0", "1"]] * 3 + [[]] * 4


def test_a_frozen_normalisation_keeps_its_statistics_and_all_is_given_back():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 1))
    net[2].bias.requires_grad_(False)
    callback = Freeze(include=["0*", "1*"], exclude=[])
    callback.setup(None, net, "fit")
    net.train()
    callback.on_train_batch_start(None, net, None, 0)
    before = net[1].running_mean.clone()
    net(torch.randn(8, 2)).sum().backward()
    assert torch.equal(net[1].running_mean, before)
    assert net[0].weight.grad is None
    assert net[2].weight.grad is not None
    callback.teardown(None, net, "fit")
    learning = [name for name, weight in net.named_parameters() if weight.requires_grad]
    assert learning == ["0.weight", "0.bias", "1.weight", "1.bias", "2.weight"]


@pytest.mark.slow
def test_a_killed_run_continues_to_the_same_bits(killed_and_continued):
    assert killed_and_continued("callback=[unfreeze]", DEEP, at_batch=17)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("include=[hiden*]",), "callback.freeze.include=hiden* matches none"),
        (("exclude=[]",), "freezes all weights, and nothing would be learned"),
        (("include=hidden*",), "callback.freeze.include=hidden* must be a list"),
    ],
)
def test_wrong_uses_are_one_sentence(words, said, nnlab):
    answer = nnlab("callback=[freeze]", *(f"callback.freeze.{word}" for word in words))
    assert answer.status == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.slow
def test_an_unfreezing_is_said(nnlab):
    answer = nnlab(*SHORT, DEEP, "callback=[unfreeze]", "folder=run")
    assert "unfreeze: epoch 1, frozen are hidden.0, hidden.3" in answer.out
    assert "unfreeze: epoch 3, all layers learn" in answer.out
    assert rows()[-1]["step"] == 15
