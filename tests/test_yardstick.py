import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from nnlab.yardstick import left_over, principal_components, probe_accuracy


@pytest.fixture
def examples() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(12, 12, generator=generator)
    return torch.randn(200, 12, generator=generator) @ mixing + 5


def test_what_pca_leaves_is_what_scikit_learn_leaves(examples):
    train, test = examples[:150], examples[150:]
    mean, directions = principal_components(train.split(40), 4)
    pca = PCA(n_components=4, svd_solver="full").fit(train.double().numpy())
    rebuilt = pca.inverse_transform(pca.transform(test.double().numpy()))
    expected = np.square(test.double().numpy() - rebuilt).sum(axis=1).mean()
    assert left_over(test.split(7), mean, directions) == pytest.approx(expected)


def test_as_many_components_as_features_leave_nothing(examples):
    mean, directions = principal_components([examples], 99)
    assert directions.shape == (12, 12)
    assert left_over([examples], mean, directions) == pytest.approx(0, abs=1e-9)


def test_images_are_laid_flat(examples):
    images = examples.view(-1, 1, 3, 4)
    mean, directions = principal_components([images], 2)
    flat_mean, flat_directions = principal_components([examples], 2)
    assert torch.equal(mean, flat_mean)
    assert torch.equal(directions, flat_directions)


def test_the_probe_reads_a_class_that_a_line_separates_at_any_scale():
    generator = torch.Generator().manual_seed(0)
    code = torch.randn(400, 3, generator=generator)
    label = (code[:, 0] > 0).long()
    code *= torch.tensor([1e-4, 1e4, 0.0])  # the telling one is small, one is dead
    train, test = (code[:300], label[:300]), (code[300:], label[300:])
    assert probe_accuracy(train, test) >= 0.95


def test_the_probe_cannot_guess_what_the_code_does_not_say():
    generator = torch.Generator().manual_seed(0)
    code = torch.randn(4000, 3, generator=generator)
    label = torch.arange(4000) % 10
    score = probe_accuracy((code[:2000], label[:2000]), (code[2000:], label[2000:]))
    assert score == pytest.approx(0.1, abs=0.04)


@pytest.mark.real_data
@pytest.mark.slow
def test_pca_of_mnist_leaves_the_papers_13_87(build, real_data):
    data = build(
        "data=mnist", "data.mean=0.0", "data.standard_deviation=1.0", part="data"
    )
    data.setup()
    train = [image / 255 for image in data.splits.train[0].split(1000)]
    test = [image / 255 for image in data.splits.test[0].split(1000)]
    mean, directions = principal_components(train, 30)
    assert left_over(test, mean, directions) == pytest.approx(13.87, abs=0.05)
