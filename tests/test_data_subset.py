"""Some classes, some examples: labels renumbered by hand, shares counted."""

import numpy as np
import pytest
import torch

from nnlab.build import build as build_parts
from nnlab.compose import Composer, plain
from nnlab.data._subset import count_classes, shuffle_pixels, subset
from nnlab.data_module import Splits
from nnlab.errors import UserError

LABELS = [3, 0, 1, 3, 2, 1, 3, 0]


def examples(labels):
    """Return images whose first pixel is their place among the examples."""
    image = torch.zeros(len(labels), 2, 2, dtype=torch.uint8)
    image[:, 0, 0] = torch.arange(len(labels))
    return image, torch.tensor(labels)


def splits(train=LABELS, others=(0, 1, 2, 3)):
    return Splits(examples(train), examples(others), examples(others))


def chosen(classes=None, train_size=None, seed=0, **labels):
    return subset(splits(**labels), classes=classes, train_size=train_size, seed=seed)


def test_labels_are_renumbered_in_the_order_in_which_classes_are_named():
    train, validation, test = chosen(classes=[3, 1])
    assert train[0][:, 0, 0].tolist() == [0, 2, 3, 5, 6]
    assert train[1].tolist() == [0, 1, 0, 1, 0]  # 3 is the first class, 1 the second
    assert validation[1].tolist() == test[1].tolist() == [1, 0]


def test_null_keeps_everything():
    assert torch.equal(chosen().train[0], splits().train[0])


def test_train_size_draws_by_seed_each_class_by_its_share_and_from_training_only():
    labels = [0] * 60 + [1] * 30 + [2] * 10
    one, same, other = (
        chosen(train=labels, train_size=20, seed=seed) for seed in (1, 1, 2)
    )
    assert one.train[1].bincount().tolist() == [12, 6, 2]
    assert torch.equal(one.train[0], same.train[0])
    assert not torch.equal(one.train[0], other.train[0])
    assert len(one.validation[1]) == len(one.test[1]) == 4


@pytest.mark.parametrize("size", [1, 3, 9])
def test_a_train_size_beyond_what_there_is_is_refused(size):
    with pytest.raises(UserError, match=rf"data.train_size={size} must be 4 to 8"):
        chosen(train_size=size)


def test_a_class_without_an_example_is_refused():
    with pytest.raises(UserError, match="leaves 1 of 2 classes without"):
        chosen(train=[0] * 99 + [1], train_size=3)


@pytest.mark.parametrize(
    ("classes", "why"),
    [
        ([3, 10], "names the class 10; the classes are 0 to 9"),
        ([3, 3], "names a class twice"),
        ([3], "nothing to tell apart"),
        ([], "nothing to tell apart"),
    ],
)
def test_classes_that_cannot_be_kept_are_refused(classes, why):
    with pytest.raises(ValueError, match=why):
        count_classes(classes, known=10)


def test_a_split_left_without_images_is_refused():
    with pytest.raises(UserError, match=r"\[1, 3\] leaves a split without"):
        chosen(classes=[1, 3], others=(0, 2))


def test_pixels_are_shuffled_in_one_way_for_all_images_and_runs():
    image = torch.arange(2 * 9, dtype=torch.uint8).view(2, 3, 3)
    shuffled = shuffle_pixels(image)
    assert torch.equal(shuffled, shuffle_pixels(image))
    first, second = shuffled.flatten(1).numpy()
    assert sorted(first) == list(range(9))
    assert not np.array_equal(first, np.arange(9))
    assert np.array_equal(second, first + 9)  # every image alike


@pytest.mark.parametrize("data", ["digits", "mnist", "fashion_mnist"])
def test_a_model_is_told_how_many_classes_are_kept(build, data):
    part = build(f"data={data}", "data.classes=[5,6,9]", part="data")
    assert part.facts()["classes"] == 3


NAMED = {"model=mlp data=digits": ["5", "9"]}
NAMED["model=siamese data=digits_pairs"] = list("0123456789")  # labels stay


@pytest.mark.parametrize(("words", "names"), NAMED.items())
def test_a_model_calls_the_kept_classes_by_what_they_stand_for(words, names):
    composer = Composer()
    config = composer.compose([*words.split(), "data.classes=[5,9]"])
    parts = build_parts(plain(config), composer.plugins)
    assert list(parts.model.class_names) == names


def test_the_kept_digits_are_those_of_scikit_learn(build):
    from sklearn.datasets import load_digits

    data = build("data=digits", "data.image_size=8", "data.classes=[7,2]", part="data")
    data.setup()
    counts = sum(split[1].bincount(minlength=2) for split in data.splits)
    targets = load_digits().target
    assert counts.tolist() == [(targets == 7).sum(), (targets == 2).sum()]
