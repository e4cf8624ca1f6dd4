import math

import pytest

from nnlab.picture.curves import curves


def test_draws_each_series_over_its_own_steps():
    figure = curves({"train": ([1, 2, 3], [9, 8, 7]), "validation": ([3], [8])})
    lines = {line.get_label(): line.get_xydata() for line in figure.axes[0].lines}
    assert lines["train"].tolist() == [[1, 9], [2, 8], [3, 7]]
    assert lines["validation"].tolist() == [[3, 8]]


@pytest.mark.parametrize(
    ("values", "scale"),
    [([1, 0.5], "linear"), ([1, 0.001], "log"), ([1, 0], "linear"), ([], "linear")],
)
def test_is_logarithmic_where_positive_values_span_decades(values, scale):
    figure = curves({"loss": (range(len(values)), values)})
    assert figure.axes[0].get_yscale() == scale


def test_the_caller_has_the_last_word_on_the_scale():
    figure = curves({"loss": ([1, 2], [1, 0.001])}, is_log=False)
    assert figure.axes[0].get_yscale() == "linear"


def test_leaves_a_gap_for_what_is_not_a_number():
    figure = curves({"loss": ([1, 2, 3], [1.0, math.inf, 2.0])})
    values = figure.axes[0].lines[0].get_ydata()
    assert math.isnan(values[1])
    assert values[2] == 2


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((0.05, 0.05), (0, 0.1)),
        ((0.001, 0.0010000000000000002), (0, 0.002)),  # rounding is no change
        ((0.0, 0.0), (0, 1)),
        ((-2.0, -2.0), (-4, 0)),
    ],
)
def test_a_constant_is_drawn_from_zero_and_not_magnified(values, shown):
    figure = curves({"learning_rate": ([1, 2], values)})
    assert figure.axes[0].get_ylim() == pytest.approx(shown)


def test_numbers_at_the_axes_are_whole_steps_and_what_was_measured():
    figure = curves({"loss": ([1, 2], [5.00001, 5.00002])})
    figure.canvas.draw()
    [axes] = figure.axes
    assert not axes.yaxis.get_offset_text().get_text()
    steps = [label.get_text() for label in axes.get_xticklabels()]
    assert set(steps) <= {"0", "1", "2", "3"}
