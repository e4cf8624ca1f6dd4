"""What is seen: pixels, where the picture says that x1 and x2 are."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import ImageColor

from nnlab.picture.canvas import BLUE, DPI, ORANGE
from nnlab.picture.decision_boundary import decision_boundary
from nnlab.picture.plane import BOTTOM, LEFT, LINE, RIGHT, TOP

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


def test_a_picture_stays_as_it_is_when_the_next_is_drawn():
    first = decision_boundary(steep, POINTS, LABELS)
    before = pixels_of(first)
    decision_boundary(lambda plane: plane[:, 1], POINTS, LABELS)
    assert (pixels_of(first) == before).all()


def test_each_axis_has_its_own_scale():
    # As wide as before, and a hundred times as high: the picture is the same.
    high = torch.tensor([1.0, 100.0])
    tall = decision_boundary(steep, POINTS * high, LABELS)
    assert is_colour(colour_at(pixels_of(tall), 0, 1), BLUE)
    assert is_colour(colour_at(pixels_of(tall), 1, 0), ORANGE)
    wide = decision_boundary(lambda plane: plane[:, 0] / 100, POINTS / high, LABELS)
    assert is_colour(colour_at(pixels_of(wide), 0, 1), BLUE)


def test_classes_differ_in_shape_as_well():
    pixels = pixels_of(decision_boundary(steep, POINTS, LABELS))
    for x1, colour, fills_corners in ((0, BLUE, False), (1, ORANGE, True)):
        y, x = row(0, len(pixels)), column(x1)  # where x2 = 0
        assert is_colour(pixels[y - 6, x], colour)
        assert is_colour(pixels[y - 6, x + 6], colour) == fills_corners


def test_more_points_than_can_be_told_apart_are_left_out():
    points, labels = torch.rand(500, 2), torch.zeros(500)
    points[0], points[1] = torch.zeros(2), torch.ones(2)
    labels[450:] = 1
    pixels = pixels_of(decision_boundary(lambda p: p[:, 0] * 0, points, labels))
    within = pixels[row(1.1, len(pixels)) : row(-0.1, len(pixels))]
    assert is_colour(within, BLUE).any()
    assert not is_colour(within[:, : column(1.1)], ORANGE).any()


def test_numbers_and_names_stand_around_the_frame():
    pixels = pixels_of(decision_boundary(steep, POINTS, LABELS))
    is_drawn = pixels[..., 3] > 0
    height, left, right = len(pixels), round(LEFT * DPI), round(RIGHT * DPI)
    bottom, top = height - round(BOTTOM * DPI), height - round(TOP * DPI)
    for x1 in (0, 0.5, 1):  # a number below each
        below = is_drawn[bottom + 10 :, column(x1) - 10 : column(x1) + 10]
        assert below.any(), x1
    for x2 in (0, 0.5, 1):
        y = row(x2, height)
        assert is_drawn[y - 6 : y + 6, : left - 10].any(), x2
    assert is_drawn[bottom + 28 :].any(), "x1"
    assert is_drawn[:, :20].any(), "x2"
    assert is_drawn[top - 30 : top - 8].any(), "which mark is which class"
    assert is_drawn[: top - 40].any(), "what is seen"
    assert not is_drawn[:2].any(), "all of it"
    strip = pixels[top + 2 : bottom - 2, right + 27]
    assert strip[0, 0] > strip[0, 2] + 50, "orange is above"
    assert strip[-1, 2] > strip[-1, 0] + 50


def test_where_there_is_no_probability_there_is_no_colour():
    def broken(plane):
        return torch.where(plane[:, 0] < 0.5, plane[:, 0] * torch.nan, 0.9)

    pixels = pixels_of(decision_boundary(broken, POINTS, LABELS))
    assert colour_at(pixels, 0.2, 0.5)[3] == 0
    assert colour_at(pixels, 0.8, 0.5)[3] == 255
    decision_boundary(lambda plane: plane[:, 0] * torch.inf, POINTS, LABELS)


def test_a_field_that_only_touches_one_half_has_no_line():
    flat = decision_boundary(lambda plane: plane[:, 0] * 0 + 0.5, POINTS, LABELS)
    touching = decision_boundary(lambda p: p[:, 0].clamp(0.5, 1), POINTS, LABELS)
    assert not is_colour(pixels_of(flat), LINE).any()
    assert not is_colour(pixels_of(touching), LINE).any()


def test_threads_do_not_draw_into_each_others_pictures():
    fields = [lambda plane, x=x: torch.sigmoid(9 * (plane[:, 0] - x)) for x in (0, 1)]
    alone = [pixels_of(decision_boundary(f, POINTS, LABELS)) for f in fields]
    with ThreadPoolExecutor(4) as threads:
        chosen = [number % 2 for number in range(40)]
        drawn = threads.map(
            lambda n: decision_boundary(fields[n], POINTS, LABELS), chosen
        )
        for number, picture in zip(chosen, drawn, strict=True):
            assert (pixels_of(picture) == alone[number]).all()


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
