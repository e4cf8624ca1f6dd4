import pytest
import torch
from matplotlib.collections import PathCollection

from nnlab.picture.numbers_against_truth import numbers_against_truth

TRUTHS = torch.tensor([0.1, 0.5, 0.9])


def points(axes):
    """Of each mark, its places."""
    marks = [mark for mark in axes.collections if isinstance(mark, PathCollection)]
    return [torch.tensor(mark.get_offsets().data) for mark in marks]


def test_counts_and_colours_what_is_within_the_tolerance():
    answers = torch.tensor([0.11, 0.6, 0.91])
    axes = numbers_against_truth(answers, TRUTHS, 0.04).axes[0]
    assert axes.get_title() == "2 of 3 within 0.04 of the truth"
    right, wrong = points(axes)
    torch.testing.assert_close(wrong, torch.tensor([[0.5, 0.6]]), check_dtype=False)
    assert right[:, 0].tolist() == TRUTHS[[0, 2]].tolist()


@pytest.mark.parametrize("answer", [0.5, 0.48, 7.0, -7.0])
def test_both_axes_span_the_truths_whatever_is_answered(answer):
    answers = torch.tensor([0.1, 0.5, answer])
    axes = numbers_against_truth(answers, TRUTHS, 0.04).axes[0]
    assert axes.get_xlim() == axes.get_ylim()
    low, high = axes.get_ylim()
    assert low < 0.1 < 0.9 < high
    assert high - low < 1


def test_an_answer_beyond_the_frame_is_at_its_edge():
    axes = numbers_against_truth(torch.tensor([-3.0, 0.5, 4.0]), TRUTHS, 0.04).axes[0]
    below, above = points(axes)[-2:]
    assert below[0].tolist() == pytest.approx([0.1, axes.get_ylim()[0]])
    assert above[0].tolist() == pytest.approx([0.9, axes.get_ylim()[1]])


def test_truths_that_are_all_the_same_can_be_drawn():
    axes = numbers_against_truth(TRUTHS, torch.full((3,), 0.5), 0.04).axes[0]
    assert axes.get_xlim() == pytest.approx((0.46, 0.54))
