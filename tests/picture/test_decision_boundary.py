"""What is seen: pixels, where the picture says that x1 and x2 are."""

import numpy as np
import pytest
import torch
from PIL import ImageColor

from nnlab.picture.canvas import BLUE, DPI, ORANGE
from nnlab.picture.decision_boundary import (
    BOTTOM,
    LEFT,
    LINE,
    RIGHT,
    TOP,
    decision_boundary,
)

POINTS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
LABELS = torch.tensor([0, 0, 1, 1])
SHOWN = (-1 / 6, 7 / 6)  # of each axis: a third more than from 0 to 1


def steep(plane):
    """P(class 1) of a unit that decides at x1 = 0.25."""
    return torch.sigmoid(20 * (plane[:, 0] - 0.25))


def pixels_of(picture):
    return np.asarray(picture.convert("RGBA")).astype(int)


def column(x1):
    share = (x1 - SHOWN[0]) / (SHOWN[1] - SHOWN[0])
    return round((LEFT + share * (RIGHT - LEFT)) * DPI)


def row(x2, height):
    share = (x2 - SHOWN[0]) / (SHOWN[1] - SHOWN[0])
    return height - 1 - round((BOTTOM + share * (TOP - BOTTOM)) * DPI)


def colour_at(pixels, x1, x2):
    return pixels[row(x2, len(pixels)), column(x1)]


def is_colour(pixels, colour):
    """Where the pixels are of a colour."""
    return np.abs(pixels[..., :3] - ImageColor.getrgb(colour)).max(axis=-1) < 12


def test_draws_the_line_where_the_probability_is_one_half():
    pixels = pixels_of(decision_boundary(steep, POINTS, LABELS))
    rows, columns = np.nonzero(is_colour(pixels, LINE))
    assert np.median(columns) == pytest.approx(column(0.25), abs=1)
    assert np.ptp(columns) <= 4, "an upright line"
    assert rows.min() < row(1, len(pixels)) < row(0, len(pixels)) < rows.max()


def test_draws_no_line_where_one_class_is_everywhere():
    picture = decision_boundary(lambda plane: plane[:, 0] * 0 + 0.9, POINTS, LABELS)
    assert not is_colour(pixels_of(picture), LINE).any()


def test_marks_each_point_with_the_colour_of_its_class():
    pixels = pixels_of(decision_boundary(steep, POINTS, LABELS))
    for point, label in zip(POINTS.tolist(), LABELS.tolist(), strict=True):
        found = colour_at(pixels, *point)
        assert is_colour(found, (BLUE, ORANGE)[label])


def test_shows_blue_where_class_0_is_likely_and_orange_where_class_1_is():
    pixels = pixels_of(decision_boundary(steep, POINTS, LABELS))
    left, right = colour_at(pixels, -0.1, 0.5), colour_at(pixels, 1.1, 0.5)
    assert left[2] > left[0] + 50
    assert right[0] > right[2] + 50


def test_the_second_axis_goes_up():
    picture = decision_boundary(lambda plane: plane[:, 1], POINTS, LABELS)
    pixels = pixels_of(picture)
    lower, upper = colour_at(pixels, 0.5, -0.1), colour_at(pixels, 0.5, 1.1)
    assert lower[2] > lower[0] + 50
    assert upper[0] > upper[2] + 50


def test_another_field_over_the_same_points_leaves_nothing_of_the_first():
    alone = pixels_of(decision_boundary(steep, POINTS, LABELS))
    decision_boundary(lambda plane: plane[:, 1], POINTS, LABELS)
    again = pixels_of(decision_boundary(steep, POINTS, LABELS))
    assert (again == alone).all()


def test_other_points_are_another_picture():
    first = pixels_of(decision_boundary(steep, POINTS, LABELS))
    moved = pixels_of(decision_boundary(steep, POINTS * 2, LABELS))
    swapped = pixels_of(decision_boundary(steep, POINTS, 1 - LABELS))
    assert (first != moved).any()
    assert is_colour(colour_at(swapped, 0, 0), ORANGE)


def test_has_no_background_so_that_it_suits_light_and_dark_pages():
    assert pixels_of(decision_boundary(steep, POINTS, LABELS))[0, 0, 3] == 0


def test_asks_for_probabilities_without_gradients():
    asked = []

    def probability(plane):
        asked.append(torch.is_grad_enabled())
        return steep(plane)

    decision_boundary(probability, POINTS, LABELS)
    assert set(asked) == {False}


def test_copes_with_points_that_do_not_differ_along_an_axis():
    asked = []

    def probability(plane):
        asked.append(plane[:, 1])
        return steep(plane)

    decision_boundary(probability, POINTS * torch.tensor([1.0, 0.0]), LABELS)
    x2 = torch.cat(asked)
    assert (float(x2.min()), float(x2.max())) == (-1, 1)
