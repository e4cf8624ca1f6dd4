"""A model on data that it is not made for: one sentence, in the user's words."""

import pytest

from nnlab.compose import Composer, plain
from nnlab.errors import UserError
from nnlab.pairing import check_pairing, misfit

IMAGES = "images, which data=digits, data=fashion_mnist and data=mnist give"


def composed(*words):
    composer = Composer()
    return plain(composer.compose(words)), composer.plugins


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        ("gan", "xor", f"made for {IMAGES}, and data=xor gives rows of numbers"),
        ("lenet5", "digits_pairs", f"made for {IMAGES}, and data=digits_pairs gives"),
        (
            "lstm_adder",
            "digits",
            "made for sums of two numbers, a bit at a time, which data=addition gives, "
            "and data=digits gives images",
        ),
        (
            "siamese",
            "digits",
            "pairs of images, which data=digits_pairs and data=mnist_pairs give",
        ),
        ("recurrent", "xor", "made for sequences of numbers or images, which data="),
        ("mlp", "digits_pairs", "and data=digits_pairs gives pairs of images"),
        ("autoencoder", "addition", f"made for {IMAGES}"),
        ("gpt", "digits", "made for text, which data=common_crawl, data=pydocs"),
    ],
)
def test_a_mismatch_names_both_and_what_would_do(model, data, said, nnlab, tmp_path):
    answer = nnlab(f"model={model}", f"data={data}", "pictures=0")
    assert answer.status == 2
    assert answer.err.startswith(f"nnlab: model={model} is made for ")
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("model", "data"),
    [
        ("mlp", "xor"),
        ("recurrent", "digits"),
        ("perceptron", "mnist"),
        ("gan", "digits"),
    ],
)
def test_of_what_fits_nothing_is_said(model, data):
    config, plugins = composed(f"model={model}", f"data={data}")
    assert misfit(config) is None
    check_pairing(config, plugins)


def test_a_key_that_an_experiment_sets_is_told_by_its_owner():
    config, plugins = composed("experiment=lenet5_mnist", "data=xor", "model=mlp")
    own = config["data"].keys() - {"_target_", "seed", "batch_size"}
    assert own  # the experiment sets something that a truth table has not
    with pytest.raises(UserError, match=r"^experiment=lenet5_mnist sets data\.\w+, "):
        check_pairing(config, plugins)


def test_a_key_of_the_users_own_is_left_to_build():
    config, plugins = composed("model=mlp", "+data.colour=red")
    check_pairing(config, plugins)


def test_a_mismatch_is_told_before_a_download(nnlab, monkeypatch, tmp_path):
    monkeypatch.setenv("NNLAB_DATA", str(tmp_path))
    answer = nnlab("model=lenet5", "data=shakespeare")
    assert answer.status == 2
    assert answer.err.startswith("nnlab: model=lenet5 is made for images, which ")
    assert answer.err.count("\n") == 1, "no line about a download"


def test_a_plugins_model_may_do_with_more_than_its_own_data():
    config, plugins = composed("model=mlp", "data=digits_pairs")
    with pytest.raises(UserError, match="is made for rows of numbers or images"):
        check_pairing(config, plugins)
    config["model"]["_target_"] = "nnlab.learner.Learner"  # as if of a plugin
    check_pairing(config, plugins)
