import pytest
import torch

from nnlab.picture.labelled_plane import MOST_POINTS, labelled_plane


def points_by_label(figure):
    return {
        drawn.get_label(): torch.tensor(drawn.get_offsets().data)
        for drawn in figure.axes[0].collections
    }


def test_what_tells_the_labels_apart_lies_across_and_the_rest_up():
    torch.manual_seed(0)
    labels = torch.arange(200) % 2
    vectors = torch.zeros(200, 6)
    vectors[:, 2] = 3.0 * labels
    vectors[:, 4] = 9 * torch.linspace(-1, 1, 200)  # larger, and says nothing
    points = points_by_label(
        labelled_plane(vectors, labels, names=("no", "yes"), title="states")
    )
    no, yes = points["no"], points["yes"]
    assert yes[:, 0].min() > no[:, 0].max()
    assert yes[:, 0].mean() - no[:, 0].mean() == pytest.approx(3.0, rel=0.01)
    assert no[:, 1].max() - no[:, 1].min() == pytest.approx(18, rel=0.05)


def test_one_label_alone_is_drawn_too():
    points = points_by_label(
        labelled_plane(
            torch.randn(5, 3), torch.zeros(5), names=("no", "yes"), title="states"
        )
    )
    assert (len(points["no"]), len(points["yes"])) == (5, 0)


def test_a_crowd_is_thinned():
    many = MOST_POINTS + 500
    figure = labelled_plane(
        torch.randn(many, 3),
        torch.arange(many) % 2,
        names=("no", "yes"),
        title="states",
    )
    assert sum(map(len, points_by_label(figure).values())) == MOST_POINTS


def test_what_is_which_stands_above_the_points():
    vectors, labels = torch.randn(400, 3), torch.arange(400) % 2
    figure = labelled_plane(vectors, labels, names=("no", "yes"), title="states")
    assert figure.get_suptitle() == "states"
    figure.draw_without_rendering()
    [axes] = figure.axes
    assert axes.get_legend().get_window_extent().y0 >= axes.bbox.y1
