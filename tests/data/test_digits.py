from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from sklearn.datasets import load_digits

from nnlab.data.digits import Digits
from nnlab.errors import UserError

YAML = Path(__file__).parents[2] / "conf/data/digits.yaml"
NUMBERS: dict = {**OmegaConf.to_container(OmegaConf.load(YAML)), "seed": 0}
assert NUMBERS.pop("_target_") == f"{Digits.__module__}.Digits"


def make(**keywords) -> Digits:
    return Digits(**{**NUMBERS, **keywords})


def rows(splits):
    """Return the bytes of each image by split: at 8x8 all 1,797 differ."""
    return [{image.numpy().tobytes() for image in split[0]} for split in splits]


def test_every_digit_is_in_one_split_and_in_one_only():
    splits = make(image_size=8).load()
    train, validation, test = rows(splits)
    assert [len(split[0]) for split in splits] == [1077, 360, 360]
    assert not train & validation
    assert not train & test
    assert not validation & test
    assert len(train | validation | test) == 1797


def test_each_class_has_its_share_of_every_split():
    counts = np.bincount(load_digits().target)
    for _, label in make().load():
        expected = counts * len(label) / 1797
        assert np.abs(label.bincount().numpy() - expected).max() < 2


def test_the_seed_draws_the_splits():
    one, same, other = (make(seed=seed, image_size=8).load() for seed in (1, 1, 2))
    for left, right in zip(one, same, strict=True):
        assert torch.equal(left[0], right[0])
    assert rows(one)[2] != rows(other)[2]


def test_at_eight_pixels_the_images_are_those_of_scikit_learn_in_256_greys():
    splits = make(image_size=8).load()
    got = np.concatenate([image.numpy().reshape(-1, 64) for image, _ in splits])
    expected = np.round(load_digits().data * 255 / 16).astype(np.uint8)
    assert sorted(map(bytes, got)) == sorted(map(bytes, expected))


def test_a_batch_is_normalised_and_as_the_facts_say():
    data = make()
    image, label = data.prepare(next(iter(data.train_dataloader())))
    facts = data.facts()
    assert image.shape == (64, facts["channels"], facts["height"], facts["width"])
    assert facts["input_size"] == 28 * 28
    assert facts["classes"] == 10
    assert (image.dtype, label.dtype) == (torch.float32, torch.int64)


@pytest.mark.parametrize(("size", "deviation"), [(28, 0.3245), (8, 0.3757)])
def test_mean_and_deviation_of_the_training_pixels_are_as_written(size, deviation):
    data = make(image_size=size, standard_deviation=deviation)
    image, _ = data.prepare(data.load().train)
    assert image.mean().abs() < 0.01
    assert (image.std() - 1).abs() < 0.01


@pytest.mark.parametrize("key", ["validation_size", "test_size"])
def test_a_split_without_examples_is_refused(key):
    for size in (0, 1797):
        with pytest.raises(UserError, match=rf"data\.{key}={size} cannot be drawn"):
            make(**{key: size}).load()
