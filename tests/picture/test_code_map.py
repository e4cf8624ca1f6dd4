import numpy as np
import pytest
import torch

from nnlab.picture.code_map import code_map


def points(figure) -> np.ndarray:
    return np.concatenate([c.get_offsets() for c in figure.axes[0].collections])


def test_codes_of_two_numbers_are_drawn_where_they_are():
    code = torch.tensor([[1.0, 2.0], [3.0, -4.0]])
    figure = code_map(code, torch.tensor([0, 1]))
    np.testing.assert_allclose(points(figure), code)
    assert figure.axes[0].get_xlabel() == "code 1"


def test_longer_codes_are_drawn_along_their_principal_axes():
    generator = torch.Generator().manual_seed(0)
    code = torch.randn(200, 5, generator=generator)
    code[:, 3] *= 10
    code[:, 1] *= 4
    drawn = points(code_map(code, torch.zeros(200, dtype=torch.long)))
    for axis, number in enumerate((3, 1)):
        correlation = np.corrcoef(drawn[:, axis], code[:, number])[0, 1]
        assert abs(correlation) > 0.98


@pytest.mark.parametrize("size", [1, 2, 3])
def test_each_class_has_its_name_and_colour(size):
    label = torch.tensor([0, 0, 3, 3, 7, 7])
    axes = code_map(torch.randn(6, size), label).axes[0]
    assert [text.get_text() for text in axes.texts] == ["0", "3", "7"]
    colours = {tuple(c.get_facecolor()[0][:3]) for c in axes.collections}
    assert len(colours) == 3
