import numpy as np
import pytest
import torch

from nnlab.picture.mosaic import mosaic


def test_images_stand_in_rows_from_left_to_right():
    images = torch.rand(6, 2, 3)
    shown = mosaic(images, columns=3).axes[0].images[0].get_array()
    assert shown.shape == (4, 9)
    np.testing.assert_array_equal(shown[:2, 3:6], images[1])
    np.testing.assert_array_equal(shown[2:, :3], images[3])


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (100, 10)])
def test_a_title_stands_above_and_is_not_cut(count, columns):
    figure = mosaic(torch.rand(count, 2, 2), columns=columns, title="drawn at random")
    assert figure.get_suptitle() == "drawn at random"
    figure.draw_without_rendering()
    box, frame = figure._suptitle.get_window_extent(), figure.axes[0].bbox
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert frame.y1 <= box.y0


def test_a_last_row_that_is_not_full_ends_dark():
    shown = mosaic(torch.rand(3, 2, 2) + 1, columns=2).axes[0].images[0].get_array()
    assert (shown[2:, 2:] == shown.min()).all()
