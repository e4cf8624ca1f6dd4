import numpy as np
import torch

from nnlab.picture.image_rows import image_rows


def test_shows_each_row_under_its_name_in_order():
    rows = {"image": torch.rand(3, 4, 6), "rebuilt": torch.rand(3, 4, 6)}
    figure = image_rows(rows, title="some")
    assert figure.get_suptitle() == "some"
    frames = figure.axes
    assert [axes.get_title(loc="left") for axes in frames[::3]] == ["image", "rebuilt"]
    shown = [axes.images[0].get_array() for axes in frames]
    np.testing.assert_array_equal(np.stack(shown), torch.cat(list(rows.values())))


def test_all_rows_share_one_scale():
    rows = {"a": torch.zeros(2, 2, 2), "b": torch.full((2, 2, 2), 5.0)}
    limits = {axes.images[0].get_clim() for axes in image_rows(rows, title="some").axes}
    assert limits == {(0.0, 5.0)}
