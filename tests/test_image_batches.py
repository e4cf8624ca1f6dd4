"""What src/nnlab/data/_images.py gives to all sets of images."""

import numpy as np
import pytest
import torch

from nnlab.data._images import normalise, shift_randomly, stratified_split
from nnlab.errors import UserError


def split(labels, held_out, seed=0):
    return stratified_split(labels, held_out, seed=seed, key="data.validation_size")


@pytest.mark.parametrize("held_out", [1, 9, 100, 333, 999])
def test_splits_never_overlap_and_together_are_everything(held_out):
    labels = torch.randint(10, (1000,), generator=torch.Generator().manual_seed(0))
    kept, drawn = split(labels, held_out)
    assert len(drawn) == held_out
    assert sorted(kept.tolist() + drawn.tolist()) == list(range(1000))


def test_each_class_gives_its_share_to_within_one():
    labels = torch.tensor([0] * 700 + [1] * 200 + [2] * 99 + [3])
    labels = labels[torch.randperm(1000, generator=torch.Generator().manual_seed(1))]
    _, drawn = split(labels, 150)
    assert labels[drawn].bincount(minlength=4).tolist() == [105, 30, 15, 0]


def test_the_same_seed_draws_the_same_split_and_another_seed_another():
    labels = torch.arange(500) % 10
    assert torch.equal(split(labels, 50, seed=3)[1], split(labels, 50, seed=3)[1])
    assert not torch.equal(split(labels, 50, seed=3)[1], split(labels, 50, seed=4)[1])


@pytest.mark.parametrize("held_out", [0, 500, 501])
def test_a_split_that_leaves_one_side_empty_is_refused_in_one_sentence(held_out):
    expected = rf"data\.validation_size={held_out} cannot be .* give 1 to 499"
    with pytest.raises(UserError, match=expected):
        split(torch.arange(500) % 10, held_out)


def test_normalised_pixels_are_those_computed_in_numpy():
    image = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    got = normalise(image, mean=0.1307, standard_deviation=0.3081)
    expected = (np.arange(256) / 255 - 0.1307) / 0.3081
    assert got.shape == (1, 1, 16, 16)
    assert got.dtype == torch.float32
    np.testing.assert_allclose(got.numpy().ravel(), expected, rtol=1e-5, atol=1e-6)
    assert image.dtype == torch.uint8  # and is untouched
    assert image[0, 0, 1] == 1


def test_the_range_of_1998_is_a_choice_of_mean_and_deviation():
    image = torch.tensor([[[0, 255]]], dtype=torch.uint8)
    got = normalise(image, mean=0.0784314, standard_deviation=0.7843137)
    np.testing.assert_allclose(got.numpy().ravel(), [-0.1, 1.175], rtol=1e-5)


def test_shifted_images_are_the_same_moved_by_at_most_the_distance():
    numbers = torch.Generator().manual_seed(0)
    image = torch.randint(1, 256, (200, 6, 5), dtype=torch.uint8, generator=numbers)
    shifted = shift_randomly(image, distance=2, generator=numbers)
    moves = set()
    for before, after in zip(image.numpy(), shifted.numpy(), strict=True):
        padded = np.pad(before, 2)
        windows = {
            (row, column): padded[row : row + 6, column : column + 5]
            for row in range(5)
            for column in range(5)
        }
        (move,) = [at for at, it in windows.items() if np.array_equal(it, after)]
        moves.add(move)
    assert len(moves) == 25


def test_shifts_are_drawn_from_the_generator_alone():
    image = torch.arange(3 * 49, dtype=torch.uint8).view(3, 7, 7)

    def draw(seed):
        generator = torch.Generator().manual_seed(seed)
        return shift_randomly(image, distance=3, generator=generator)

    assert torch.equal(draw(0), draw(0))
    assert not torch.equal(draw(0), draw(1))
