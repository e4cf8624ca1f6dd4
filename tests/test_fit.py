"""A run's first line counts the weights as its last one does."""

import json
from pathlib import Path

import pytest
from torch import nn

from nnlab.fit import _weights


def layers(*, held: int, learning: int) -> nn.Module:
    model = nn.Module()
    for name, size in (("held", held), ("learning", learning)):
        layer = nn.Linear(size, 1, bias=False)
        layer.requires_grad_(name == "learning")
        model.add_module(name, layer)
    return model


@pytest.mark.parametrize(
    ("held", "learning", "said"),
    [
        (0, 1, "1 weight"),
        (0, 2000, "2,000 weights"),
        (3, 2000, "2,000 weights and 3 fixed"),
    ],
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_what_learns_is_counted_and_what_never_does_beside_it(held, learning, said):
    assert _weights(layers(held=held, learning=learning)) == said


def test_the_lines_of_a_gan_agree_and_its_remark_explains_the_judge(nnlab):
    answer = nnlab(
        *("model=gan", "data=digits", "model.variant=mlp", "folder=run", "logger=[]"),
        *("trainer.max_steps=1", "pictures=0", "model.judged=100"),
        "model.judged_in_training=100",
    )
    assert answer.status == 0, answer.err
    result = json.loads(Path("run/result.json").read_text(encoding="utf-8"))
    heads = [line for line in answer.out.splitlines() if "gan on digits" in line]
    assert heads[0].startswith(f"gan on digits: {result['parameters']:,} weights and ")
    assert heads[-1].endswith(f", {result['parameters']:,} parameters")
    assert max(map(len, answer.out.partition("run")[0].splitlines())) <= 80
    # what never learns is the generator's average: a copy of one player
    generator = 64 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 784 + 784
    assert f" and {generator:,} fixed" in heads[0]
    said = "one judge, a classifier of these data; the hash of this one's weights is"
    assert said in result["remark"]
