"""A run's first line counts the weights as its last one does."""

import json
from pathlib import Path


def test_the_lines_of_a_gan_agree_and_its_remark_explains_the_judge(nnlab):
    answer = nnlab(
        *("model=gan", "data=digits", "model.variant=mlp", "folder=run", "logger=[]"),
        *("trainer.max_steps=1", "pictures=0", "model.judged=100"),
        "model.judged_in_training=100",
    )
    assert answer.status == 0, answer.err
    result = json.loads(Path("run/result.json").read_text(encoding="utf-8"))
    heads = [line for line in answer.out.splitlines() if "gan on digits" in line]
    learn = f"{result['trainable']:,} of them learn"
    said = f"{result['parameters']:,} parameters, {learn}"
    assert heads[0].startswith(f"gan on digits: {said}, ")
    assert heads[-1].endswith(f", {said}")
    assert max(map(len, answer.out.partition("run")[0].splitlines())) <= 80
    # what never learns is the generator's average: a copy of one player
    generator = 64 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 784 + 784
    assert result["parameters"] - result["trainable"] == generator
    said = "one judge, a classifier of these data; the hash of this one's weights is"
    assert said in result["remark"]
