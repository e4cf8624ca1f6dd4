import numpy as np
import pytest
import torch

from nnlab.picture.image_grid import image_grid


def test_shows_every_image_in_order_with_its_title():
    images = torch.rand(5, 4, 6)
    figure = image_grid(images, titles=list("abcde"), columns=2)
    frames = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in frames] == list("abcde")
    for axes, image in zip(frames, images, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), image)


def test_all_images_share_one_scale():
    images = torch.stack([torch.zeros(2, 2), torch.full((2, 2), 5.0)])
    limits = {axes.images[0].get_clim() for axes in image_grid(images).axes}
    assert limits == {(0.0, 5.0)}


def test_zero_is_in_the_middle_of_a_signed_scale():
    images = torch.tensor([[[-1.0, 3.0]]])
    figure = image_grid(images, is_signed=True)
    assert figure.axes[0].images[0].get_clim() == (-3.0, 3.0)


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (6, 3), (100, 8)])
def test_chooses_about_as_many_columns_as_rows(count, columns):
    figure = image_grid(torch.rand(count, 2, 2))
    assert figure.axes[0].get_gridspec().ncols == columns


def test_draws_weights_that_still_have_gradients():
    assert image_grid(torch.nn.Conv2d(1, 6, 5).weight[:, 0]).axes
