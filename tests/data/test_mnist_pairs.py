import pytest
import torch

from nnlab.data.fashion_mnist import FashionMNIST
from nnlab.data.mnist import MNIST


def test_the_numbers_of_the_images_are_those_of_mnist_itself(build):
    pairs, alone = (
        build("data=mnist_pairs", part="data"),
        build("data=mnist", part="data"),
    )
    assert isinstance(pairs.source, MNIST)
    assert pairs.facts() == alone.facts()
    for name in ("mean", "standard_deviation", "shift", "validation_size"):
        assert getattr(pairs.source, name) == getattr(alone, name)


def test_other_images_may_be_the_source(build):
    data = build("data=mnist_pairs", "data@data.source=fashion_mnist", part="data")
    assert isinstance(data.source, FashionMNIST)


@pytest.mark.real_data
def test_the_test_pairs_are_of_the_10000_published_images(build, real_data):
    data = build("data=mnist_pairs", f"data.source.data_dir={real_data}", part="data")
    data.setup()
    first, second, label, other = data.splits.test
    assert torch.equal(first, data.source.load().test[0])
    assert int((label == other).sum()) == 5000
    assert len(data.splits.train[0]) == 55_000
    assert len({image.numpy().tobytes() for image in second}) > 5000
