import numpy as np
import torch

from nnlab.picture.mosaic import mosaic


def test_images_stand_in_rows_from_left_to_right():
    images = torch.rand(6, 2, 3)
    shown = mosaic(images, columns=3).axes[0].images[0].get_array()
    assert shown.shape == (4, 9)
    np.testing.assert_array_equal(shown[:2, 3:6], images[1])
    np.testing.assert_array_equal(shown[2:, :3], images[3])


def test_a_last_row_that_is_not_full_ends_dark():
    shown = mosaic(torch.rand(3, 2, 2) + 1, columns=2).axes[0].images[0].get_array()
    assert (shown[2:, 2:] == shown.min()).all()
