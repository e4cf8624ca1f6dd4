import io

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba
from PIL import Image

from nnlab.picture.decision_boundary import decision_boundary

POINTS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
LABELS = torch.tensor([0, 0, 1, 1])


def steep(plane):
    """P(class 1) of a unit that decides at x1 = 0.25."""
    return torch.sigmoid(20 * (plane[:, 0] - 0.25))


def boundary_of(figure):
    lines = [
        path.vertices
        for collection in figure.axes[0].collections
        if len(edges := collection.get_edgecolor())
        and np.allclose(edges, to_rgba("#26292e"))
        for path in collection.get_paths()
    ]
    return np.concatenate([line for line in lines if len(line)])


def test_draws_the_line_where_the_probability_is_one_half():
    line = boundary_of(decision_boundary(steep, POINTS, LABELS))
    assert line[:, 0] == pytest.approx(0.25, abs=0.01)
    assert line[:, 1].min() < 0 < 1 < line[:, 1].max()


def test_draws_no_line_where_one_class_is_everywhere():
    figure = decision_boundary(lambda plane: plane[:, 0] * 0 + 0.9, POINTS, LABELS)
    with pytest.raises(ValueError, match="at least one array"):
        boundary_of(figure)


def test_marks_each_point_with_the_shape_of_its_class():
    figure = decision_boundary(steep, POINTS, LABELS)
    marks = {
        collection.get_label(): collection.get_offsets().tolist()
        for collection in figure.axes[0].collections
        if collection.get_label().startswith("class")
    }
    assert marks == {"class 0": [[0, 0], [0, 1]], "class 1": [[1, 0], [1, 1]]}


def test_shows_blue_where_class_0_is_likely_and_orange_where_class_1_is():
    figure = decision_boundary(steep, POINTS, LABELS)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    pixels = np.asarray(Image.open(file).convert("RGBA")).astype(int)
    axes = figure.axes[0]
    colours = {}
    for name, place in (("left", (-0.1, 0.5)), ("right", (1.1, 0.5))):
        x, y = axes.transData.transform(place)
        colours[name] = pixels[pixels.shape[0] - round(y), round(x)]
    assert colours["left"][2] > colours["left"][0] + 50
    assert colours["right"][0] > colours["right"][2] + 50


def test_has_no_background_so_that_it_suits_light_and_dark_pages():
    file = io.BytesIO()
    decision_boundary(steep, POINTS, LABELS).savefig(file, format="png")
    assert Image.open(file).convert("RGBA").getpixel((0, 0))[3] == 0


def test_asks_for_probabilities_without_gradients():
    asked = []

    def probability(plane):
        asked.append(torch.is_grad_enabled())
        return steep(plane)

    decision_boundary(probability, POINTS, LABELS)
    assert set(asked) == {False}


def test_copes_with_points_that_do_not_differ_along_an_axis():
    flat = POINTS * torch.tensor([1.0, 0.0])
    low, high = decision_boundary(steep, flat, LABELS).axes[0].get_ylim()
    assert (low, high) == pytest.approx((-1, 1))
