import pytest
import torch

from nnlab.picture.attention_maps import attention_maps


def drawn(layers: int, heads: int):
    weights = torch.rand(layers, heads, 5, 5)
    figure = attention_maps(weights)
    return weights, [axes for axes in figure.axes if axes.images]


def test_a_map_for_each_head_of_each_layer():
    weights, maps = drawn(layers=2, heads=3)
    assert [axes.get_title() for axes in maps] == [
        *("1.1", "1.2", "1.3"),
        *("2.1", "2.2", "2.3"),
    ]
    shown = torch.from_numpy(maps[4].images[0].get_array().data)
    torch.testing.assert_close(shown.square(), weights[1, 1])


def test_a_deep_network_is_shown_by_its_first_and_last_layer_and_some_between():
    _, maps = drawn(layers=12, heads=12)
    layers = [int(axes.get_title().split(".")[0]) for axes in maps[::6]]
    assert len(maps) == 36
    assert layers[0] == 1
    assert layers[-1] == 12


def test_one_layer_of_one_head_is_one_map():
    assert len(drawn(layers=1, heads=1)[1]) == 1


@pytest.mark.parametrize("heads", [1, 6])
def test_says_what_is_seen_and_does_not_cut_it(heads):
    figure = attention_maps(torch.rand(2, heads, 5, 5))
    assert "who looks at whom" in figure.get_suptitle()
    figure.draw_without_rendering()
    box = figure._suptitle.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
