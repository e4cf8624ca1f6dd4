"""What is typed for a model takes effect, or is refused by what would."""

import inspect
from pathlib import Path

import pytest

from nnlab.effect import check_effect
from nnlab.errors import UserError
from nnlab.home import conf_folder
from nnlab.plugins import find_plugins
from nnlab.target import resolve


class Model:
    only_with = {  # noqa: RUF012
        "sizes": ("variant", ("deep", "sparse", "wide")),
        "maps": ("variant", ("conv",)),
        "noise": ("classes", (0,)),
    }


def refusal(word, **numbers):
    with pytest.raises(UserError) as refused:
        check_effect([word], Model(), {"variant": "conv", "classes": 10, **numbers})
    return str(refused.value)


def test_what_does_nothing_is_refused_with_what_does():
    assert refusal("model.sizes=[5]") == (
        "model.sizes=[5] does nothing with model.variant=conv, where model.maps does; "
        "it is for model.variant=deep, sparse or wide"
    )
    assert refusal("+model.maps=[5]", variant="deep") == (
        "+model.maps=[5] does nothing with model.variant=deep, where model.sizes does; "
        "it is for model.variant=conv"
    )
    assert refusal("model.noise=1") == (
        "model.noise=1 does nothing with model.classes=10; it is for model.classes=0"
    )


@pytest.mark.parametrize(
    "word", ["model.maps=[5]", "model.depth=3", "data.sizes=1", "model=conv", "seed=1"]
)
def test_what_takes_effect_is_let_through(word):
    check_effect([word], Model(), {"variant": "conv", "classes": 10})
    check_effect([word], object(), {})


@pytest.mark.parametrize(
    "name", sorted(file.stem for file in (conf_folder() / "model").glob("*.yaml"))
)
def test_a_model_names_its_own_arguments_and_choices(name):
    import yaml

    text = (conf_folder() / "model" / f"{name}.yaml").read_text(encoding="utf-8")
    section = yaml.safe_load(text)["model"]
    cls = resolve(section["_target_"], "model", find_plugins())
    parameters = inspect.signature(cls.__init__).parameters
    for argument, (decider, values) in getattr(cls, "only_with", {}).items():
        assert {argument, decider} <= set(parameters)
        annotation = parameters[decider].annotation
        known = getattr(annotation, "__args__", values)  # of a Literal
        assert set(values) < set(known) or decider == "classes"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            "model=autoencoder data=digits model.variant=convolutional "
            "model.hidden_sizes=[5]",
            "model.hidden_sizes=[5] does nothing with model.variant=convolutional, "
            "where model.feature_maps does",
        ),
        (
            "model=siamese data=digits_pairs model.encoder=mlp model.feature_maps=[4]",
            "model.feature_maps=[4] does nothing with model.encoder=mlp",
        ),
        (
            "model=recurrent data=digits model.tolerance=0.1",
            "model.tolerance=0.1 does nothing with model.classes=10",
        ),
        (
            "model=gan data=digits model.penalty_weight=5",
            "it is for model.loss=wasserstein_gp",
        ),
    ],
)
def test_a_run_is_refused_before_anything_is_written(words, says, nnlab, tmp_path):
    answer = nnlab(*words.split())
    assert answer.status == 2
    assert says in answer.err
    assert answer.err.count("\n") == 1
    assert list(Path(tmp_path).iterdir()) == []
