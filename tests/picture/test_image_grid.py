import numpy as np
import pytest
import torch

from nnlab.picture.image_grid import image_grid


def test_shows_every_image_in_order_with_its_title():
    images = torch.rand(5, 4, 6)
    figure = image_grid(images, titles=list("abcde"), columns=2)
    [axes] = figure.axes
    assert [text.get_text() for text in axes.texts] == list("abcde")
    for drawn, image in zip(axes.images, images, strict=True):
        np.testing.assert_array_equal(drawn.get_array(), image)


def test_each_image_lies_under_its_title_in_rows_and_keeps_its_shape():
    figure = image_grid(torch.rand(5, 4, 6), titles=list("abcde"), columns=2)
    [axes] = figure.axes
    places = []
    for drawn, text in zip(axes.images, axes.texts, strict=True):
        left, right, bottom, top = drawn.get_extent()
        x, y = text.get_position()
        assert (left + right) / 2 == pytest.approx(x)
        assert y > top
        assert (right - left) / (top - bottom) == pytest.approx(6 / 4, rel=0.05)
        places.append((left, -top))
    assert places == sorted(places, key=lambda place: (place[1], place[0]))
    assert len({left for left, _ in places}) == 2
    # one unit of the frame is one inch of the figure
    assert axes.get_position().bounds == (0, 0, 1, 1)
    size = axes.get_xlim()[1], axes.get_ylim()[1]
    assert size == pytest.approx(tuple(figure.get_size_inches()))


def test_all_images_share_one_scale():
    images = torch.stack([torch.zeros(2, 2), torch.full((2, 2), 5.0)])
    [axes] = image_grid(images).axes
    limits = {drawn.get_clim() for drawn in axes.images}
    assert limits == {(0.0, 5.0)}


def test_zero_is_in_the_middle_of_a_signed_scale():
    images = torch.tensor([[[-1.0, 3.0]]])
    figure = image_grid(images, is_signed=True, title="weights")
    assert figure.axes[0].images[0].get_clim() == (-3.0, 3.0)
    assert figure.get_suptitle() == "weights: blue \N{MINUS SIGN}3, grey 0, orange 3"


def test_a_title_wider_than_the_images_is_not_cut():
    figure = image_grid(torch.rand(1, 2, 2), title="weights of one unit, on each pixel")
    figure.draw_without_rendering()
    box = figure._suptitle.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
    left, right, *_ = figure.axes[0].images[0].get_extent()
    assert (left + right) / 2 == pytest.approx(figure.get_size_inches()[0] / 2)


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (6, 3), (100, 8)])
def test_chooses_about_as_many_columns_as_rows(count, columns):
    [axes] = image_grid(torch.rand(count, 2, 2)).axes
    assert len({drawn.get_extent()[0] for drawn in axes.images}) == columns


def test_draws_weights_that_still_have_gradients():
    assert image_grid(torch.nn.Conv2d(1, 6, 5).weight[:, 0]).axes
