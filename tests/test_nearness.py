import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve
from sklearn.neighbors import KNeighborsClassifier

from nnlab.nearness import (
    best_threshold,
    crossed_thresholds,
    knn_error,
    one_shot_accuracy,
    roc_area,
    roc_curve,
)


def blobs(items, *, classes=5, size=4, spread=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, size, generator=torch.Generator().manual_seed(99))
    labels = torch.arange(items) % classes
    noise = torch.randn(items, size, generator=generator)
    return centres[labels] + spread * noise, labels


def pairs(items=400):
    generator = torch.Generator().manual_seed(3)
    is_same = torch.rand(items, generator=generator) < 0.5
    distances = torch.rand(items, generator=generator) + 0.4 * (~is_same)
    return (distances * 20).round() / 20, is_same  # many are equal


@pytest.mark.parametrize("neighbours", [1, 3])
def test_knn_error_is_that_of_scikit_learn(neighbours):
    (x, y), (gallery, labels) = blobs(700), blobs(300, seed=1)
    oracle = KNeighborsClassifier(neighbours, weights=vote).fit(gallery, labels)
    error = knn_error(
        x, y, gallery, labels, neighbours=neighbours, distance=torch.cdist
    )
    assert error == pytest.approx(1 - oracle.score(x, y), abs=1e-9)
    assert 0.1 < error < 0.6


def vote(distances):
    """Weigh votes so that they differ only where there is a tie, by nearness."""
    return 1 - 1e-3 * np.argsort(np.argsort(distances, axis=1), axis=1)


def test_of_as_many_votes_the_nearer_neighbours_win():
    gallery = torch.tensor([[1.0], [-2.0], [3.0], [-3.5]])
    labels = torch.tensor([1, 0, 0, 1])
    nearest_first = [1, 0, 0, 1]  # at 1, 2, 3 and 3.5: ranks 1+4 against 2+3
    assert nearest_first == labels.tolist()
    error = knn_error(
        torch.zeros(1, 1),
        torch.tensor([1]),
        gallery[:2],
        labels[:2],
        neighbours=2,
        distance=torch.cdist,
    )
    assert error == 0


def test_more_neighbours_than_there_are_is_all_of_them():
    x, y = blobs(10, classes=2)
    error = knn_error(x, y, x[:1], y[:1], neighbours=5, distance=torch.cdist)
    assert error == 0.5


def test_the_roc_curve_and_its_area_are_those_of_scikit_learn():
    distances, is_same = pairs()
    expected = sklearn_roc_curve(is_same, -distances, drop_intermediate=False)
    for ours, theirs in zip(roc_curve(distances, is_same), expected, strict=False):
        assert ours.tolist() == pytest.approx(theirs.tolist())
    area = roc_area(distances, is_same)
    assert area == pytest.approx(roc_auc_score(is_same, -distances))
    assert 0.6 < area < 0.95


def test_the_best_threshold_is_the_best_of_all():
    distances, is_same = pairs()
    threshold = best_threshold(distances, is_same)
    accuracy = ((distances < threshold) == is_same).float().mean()
    candidates = torch.linspace(-1, 3, 4001)
    accuracies = ((distances < candidates[:, None]) == is_same).float().mean(dim=1)
    assert accuracy == pytest.approx(float(accuracies.max()))


def test_pairs_of_equal_distance_are_accepted_together():
    distances = torch.tensor([0.5, 0.5, 0.5, 0.1, 0.9])
    is_same = torch.tensor([True, True, False, False, False])
    # none: 3 of 5; up to 0.1: 2; up to 0.5: 3; all: 2
    threshold = best_threshold(distances, is_same)
    assert ((distances < threshold) == is_same).sum() == 3


@pytest.mark.parametrize("same", [True, False])
def test_pairs_that_are_all_alike_or_all_not_have_a_threshold(same):
    distances = torch.tensor([0.3, 0.1, 0.2])
    is_same = torch.full((3,), same)
    threshold = best_threshold(distances, is_same)
    assert ((distances < threshold) == is_same).all()


def test_each_half_is_judged_by_the_threshold_of_the_other():
    distances = torch.tensor([1.0, 3.0, 10.0, 30.0])
    is_same = torch.tensor([True, False, True, False])
    is_first = torch.tensor([True, True, False, False])
    crossed = crossed_thresholds(distances, is_same, is_first)
    assert crossed.tolist() == [20, 20, 2, 2]  # halfway between like and unlike


@pytest.mark.parametrize("ways", [2, 5])
def test_one_shot_is_a_guess_on_noise_and_certain_on_what_is_apart(ways):
    settings = {"ways": ways, "trials": 4000, "distance": torch.cdist, "seed": 0}
    x, y = blobs(200, spread=0.01)
    assert one_shot_accuracy(x, y, **settings) == 1
    noise = torch.randn(200, 4, generator=torch.Generator().manual_seed(1))
    assert one_shot_accuracy(noise, y, **settings) == pytest.approx(1 / ways, abs=0.03)


def test_an_image_is_never_recognised_by_itself():
    # all in one place but for one coordinate of its own: only itself would be nearest
    x = torch.eye(40)
    y = torch.arange(40) % 2
    accuracy = one_shot_accuracy(x, y, ways=2, trials=500, distance=torch.cdist, seed=0)
    assert accuracy == 1  # ties go to the first; an image of its own class otherwise
    flipped = one_shot_accuracy(
        x, y, ways=2, trials=500, distance=lambda a, b: -torch.cdist(a, b), seed=0
    )
    assert flipped == 1  # nothing is at distance 0


def test_with_fewer_classes_than_ways_all_are_drawn():
    x = torch.randn(300, 4, generator=torch.Generator().manual_seed(1))
    accuracy = one_shot_accuracy(
        x, torch.arange(300) % 3, ways=20, trials=4000, distance=torch.cdist, seed=0
    )
    assert accuracy == pytest.approx(1 / 3, abs=0.03)
