from itertools import combinations

import numpy as np
import pytest
import torch

from nnlab.picture.canvas import TEN
from nnlab.picture.code_map import code_map


def points(figure) -> np.ndarray:
    return np.concatenate([c.get_offsets() for c in figure.axes[0].collections])


def test_codes_of_two_numbers_are_drawn_where_they_are():
    code = torch.tensor([[1.0, 2.0], [3.0, -4.0]])
    figure = code_map(code, torch.tensor([0, 1]), title="codes")
    np.testing.assert_allclose(points(figure), code)
    assert figure.axes[0].get_xlabel() == "code 1"
    assert figure.axes[0].get_title() == "codes"


def test_longer_codes_are_drawn_along_their_principal_axes():
    generator = torch.Generator().manual_seed(0)
    code = torch.randn(200, 5, generator=generator)
    code[:, 3] *= 10
    code[:, 1] *= 4
    drawn = points(code_map(code, torch.zeros(200, dtype=torch.long), title="codes"))
    for axis, number in enumerate((3, 1)):
        correlation = np.corrcoef(drawn[:, axis], code[:, number])[0, 1]
        assert abs(correlation) > 0.98


@pytest.mark.parametrize("size", [1, 2, 3])
def test_each_class_has_its_name_and_colour(size):
    label = torch.tensor([0, 0, 3, 3, 7, 7])
    axes = code_map(torch.randn(6, size), label, title="codes").axes[0]
    assert [text.get_text() for text in axes.texts] == ["0", "3", "7"]
    colours = {tuple(c.get_facecolor()[0][:3]) for c in axes.collections}
    assert len(colours) == 3


def test_more_than_ten_classes_are_told_apart_by_marks_of_colours_that_all_can_see():
    label = torch.arange(26)
    axes = code_map(torch.randn(26, 2), label, title="codes").axes[0]
    looks = {
        (tuple(c.get_facecolor()[0][:3]), c.get_paths()[0].vertices.tobytes())
        for c in axes.collections
    }
    assert len(looks) == 26
    assert len({colour for colour, _ in looks}) == len(TEN)


@pytest.mark.parametrize(
    "names", [(), ("T-shirt", "trouser", "pullover", "ankle boot")]
)
def test_names_of_classes_that_lie_together_do_not_cover_each_other(names):
    label = torch.arange(400) % 10
    code = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    figure = code_map(code, label, names, title="codes")
    figure.draw_without_rendering()
    plates = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(a.overlaps(b) for a, b in combinations(plates, 2))


def test_a_name_is_as_near_to_its_median_as_others_leave_room():
    code = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 9.0]])
    [axes] = code_map(code, torch.arange(4), title="codes").axes
    places = [text.get_position() for text in axes.texts]
    np.testing.assert_allclose(places, code, atol=1e-5)


def test_ten_classes_are_written_legibly_on_their_colours():
    [axes] = code_map(torch.randn(10, 2), torch.arange(10), title="codes").axes
    for text in axes.texts:
        plate = np.array(text.get_bbox_patch().get_facecolor()[:3])
        assert (
            abs(np.dot(plate, (0.3, 0.59, 0.11)) - (text.get_color() == "white")) > 0.4
        )
