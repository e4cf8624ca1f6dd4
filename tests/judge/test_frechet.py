import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from nnlab.judge.frechet import Moments, frechet_distance


def moments(features: torch.Tensor, batch_size: int = 64) -> Moments:
    of = Moments(features.shape[1])
    for batch in features.split(batch_size):
        of.add(batch)
    return of


@pytest.fixture
def features() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(8, 8, generator=generator)
    return torch.randn(500, 8, generator=generator) @ mixing


def test_mean_and_covariance_are_those_of_all_batches_together(features):
    of = moments(features, batch_size=33)
    np.testing.assert_allclose(of.mean, features.double().mean(dim=0), atol=1e-12)
    expected = np.cov(features.double().numpy().T, bias=True)
    np.testing.assert_allclose(of.covariance, expected, atol=1e-10)


def test_a_set_is_at_no_distance_from_itself(features):
    assert frechet_distance(moments(features), moments(features)) < 1e-6


def test_is_symmetric(features):
    one, other = moments(features), moments(2 * features.flip(1) + 1)
    distances = frechet_distance(one, other), frechet_distance(other, one)
    assert distances[0] == pytest.approx(distances[1])


def test_of_two_numbers_with_known_deviations_it_is_known():
    # one axis: (m1 - m2)^2 + (s1 - s2)^2
    one, other = torch.tensor([[-1.0], [1.0]]), torch.tensor([[2.0], [8.0]])
    assert frechet_distance(moments(one), moments(other)) == pytest.approx(5**2 + 2**2)


def test_of_independent_axes_it_is_the_sum_over_axes():
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3)
    sizes, others = torch.tensor([1.0, 2.0, 0.0]), torch.tensor([3.0, 0.5, 1.0])
    shift = torch.tensor([0.0, 1.0, -2.0])
    distance = frechet_distance(
        moments(corners * sizes), moments(corners * others + shift)
    )
    expected = (sizes - others).square().sum() + shift.square().sum()
    assert distance == pytest.approx(expected.item())


def test_agrees_with_scipys_root_of_a_matrix_product(features):
    one, other = moments(features), moments(features.roll(3, 1) * 1.5 - 0.3)
    c1, c2 = one.covariance.numpy(), other.covariance.numpy()
    root = np.real(np.asarray(sqrtm(c1 @ c2)))
    mean = (one.mean - other.mean).square().sum().item()
    expected = mean + np.trace(c1 + c2 - 2 * root)
    assert frechet_distance(one, other) == pytest.approx(expected)


def test_features_that_never_vary_are_no_trouble(features):
    flat = features.clone()
    flat[:, 3] = 0
    distance = frechet_distance(moments(flat), moments(features))
    assert 0 < distance < float("inf")


def test_sums_of_two_processes_give_the_moments_of_both(features):
    together = moments(features).summed(lambda total: 2 * total)
    twice = moments(torch.cat([features, features]))
    torch.testing.assert_close(together.covariance, twice.covariance)
