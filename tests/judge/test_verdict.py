import math

import pytest
import torch
from torch.nn import functional as F
from torchvision.transforms.functional import gaussian_blur

from nnlab.judge.verdict import Verdict, blurred, noise_like


class SaysWhatIsWritten:
    """A judge that reads an image's first pixels as its probabilities."""

    classes = 4

    def __call__(self, image):
        return F.pad(image.flatten(1), (0, 60)), image.flatten(1)[:, :4]


def verdict(*probabilities: list[float]) -> Verdict:
    image = torch.tensor(probabilities).view(len(probabilities), 1, 2, 2)
    return Verdict(SaysWhatIsWritten()).look(image.split(3))


def test_sure_and_evenly_spread_scores_the_number_of_classes():
    of = verdict(*torch.eye(4).tolist())
    assert of.classifier_score == pytest.approx(4)
    assert of.shares.tolist() == [0.25] * 4


def test_one_class_for_all_scores_1():
    of = verdict([0, 1, 0, 0], [0, 1, 0, 0])
    assert of.classifier_score == pytest.approx(1)
    assert of.shares.tolist() == [0, 1, 0, 0]


def test_unsure_of_all_scores_1():
    assert verdict([0.25] * 4, [0.25] * 4).classifier_score == pytest.approx(1)


def test_the_score_is_the_exponential_of_the_mean_divergence():
    rows = [[0.7, 0.1, 0.1, 0.1], [0.2, 0.5, 0.2, 0.1]]
    mean = [(a + b) / 2 for a, b in zip(*rows, strict=True)]
    divergences = [
        sum(p * math.log(p / q) for p, q in zip(row, mean, strict=True)) for row in rows
    ]
    expected = math.exp(sum(divergences) / 2)
    assert verdict(*rows).classifier_score == pytest.approx(expected)


def test_sums_of_two_processes_change_no_mean():
    of = verdict([0.7, 0.1, 0.1, 0.1], [0.2, 0.5, 0.2, 0.1])
    together = of.summed(lambda total: 2 * total)
    assert together.classifier_score == pytest.approx(of.classifier_score)
    assert together.shares.tolist() == of.shares.tolist()


def test_blur_is_torchvisions_gaussian_inside_the_image():
    image = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    expected = gaussian_blur(image, [7, 7], [1.0, 1.0])
    inside = (slice(None), slice(None), slice(3, -3), slice(3, -3))
    torch.testing.assert_close(blurred(image)[inside], expected[inside])


def test_noise_is_even_and_the_same_each_time():
    image = torch.zeros(100, 1, 28, 28)
    noise = noise_like(image)
    assert torch.equal(noise, noise_like(image))
    assert noise.mean().item() == pytest.approx(0.5, abs=0.01)
    assert noise.std().item() == pytest.approx(math.sqrt(1 / 12), abs=0.01)
