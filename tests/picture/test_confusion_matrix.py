import pytest
import sklearn.metrics
import torch

from nnlab.picture.canvas import ERRORS, FAINT, RIGHT
from nnlab.picture.confusion_matrix import confusion_matrix


@pytest.fixture
def answers() -> tuple[torch.Tensor, torch.Tensor]:
    """Scores of 500 examples of 7 classes, right about two times of three."""
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(7, (500,), generator=generator)
    scores = torch.randn(500, 7, generator=generator)
    return scores + 2.2 * torch.eye(7)[labels], labels


def written(figure, classes):
    counts = torch.zeros(classes, classes, dtype=torch.long)
    for text in figure.axes[0].texts:
        column, row = text.get_position()
        if text.get_color() != FAINT:
            counts[row, column] = int(text.get_text())
    return counts


def squares(figure):
    """Sides and colours by row and column."""
    patches = {
        (round(patch.get_center()[1]), round(patch.get_center()[0])): patch
        for patch in figure.axes[0].patches
    }
    sides = {place: patch.get_width() for place, patch in patches.items()}
    return sides, {place: patch.get_facecolor() for place, patch in patches.items()}


def test_writes_the_counts_of_scikit_learn(answers):
    scores, labels = answers
    expected = sklearn.metrics.confusion_matrix(labels, scores.argmax(dim=1))
    figure = confusion_matrix(scores, labels)
    assert written(figure, 7).tolist() == expected.tolist()


def test_says_accuracy_and_errors_in_the_title(answers):
    scores, labels = answers
    right = int((scores.argmax(dim=1) == labels).sum())
    title = confusion_matrix(scores, labels).axes[0].get_title()
    assert title == f"accuracy {right / 500:.2%} · {500 - right} of 500 wrong"


def test_the_worst_error_of_a_row_stands_out_and_the_diagonal_does_not():
    # Of class 0, 990 are right and 10 taken for 1; of class 1, 4 right, 1 taken for 0
    labels = torch.tensor([0] * 1000 + [1] * 5)
    said = torch.tensor([0] * 990 + [1] * 10 + [1] * 4 + [0])
    sides, colours = squares(confusion_matrix(torch.eye(2)[said], labels))
    assert colours[1, 0] == ERRORS(1.0)  # a fifth of its row
    assert sides[1, 0] == pytest.approx(0.96)
    assert sides[0, 1] == pytest.approx(0.56 + 0.4 * 0.05)  # a hundredth of its row
    assert colours[0, 0] == RIGHT(0.99)
    assert colours[1, 1] == RIGHT(0.8)


def test_few_right_ones_are_neither_large_nor_blue():
    # Always 0: all of class 0 is right, nothing of class 1, half of class 2
    labels = torch.tensor([0] * 9 + [1] * 9 + [2] * 4)
    said = torch.tensor([0] * 18 + [0, 0, 2, 2])
    sides, colours = squares(confusion_matrix(torch.eye(3)[said], labels))
    diagonal = [(place, place) for place in range(3)]
    assert [sides[at] for at in diagonal] == pytest.approx([0.96, 0.56, 0.76])
    assert [colours[at] for at in diagonal] == [RIGHT(1.0), RIGHT(0.0), RIGHT(0.5)]


@pytest.mark.parametrize("colours", [RIGHT, ERRORS])
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_a_white_count_is_legible_on_every_square(colours, share):
    # WCAG 2.1: relative luminance, contrast of at least 4
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in colours(share)[:3]
    ]
    luminance = sum(
        w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
    )
    assert 1.05 / (luminance + 0.05) >= 4


def test_a_class_without_examples_and_no_errors_at_all_can_be_drawn():
    figure = confusion_matrix(torch.eye(3)[[0, 0, 1]], torch.tensor([0, 0, 1]))
    assert written(figure, 3).tolist() == [[2, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert figure.axes[0].get_title() == "accuracy 100.00% · 0 of 3 wrong"


def test_many_classes_are_drawn_without_numbers():
    labels = torch.arange(100)
    assert not confusion_matrix(torch.eye(100), labels).axes[0].texts


def test_classes_are_called_by_their_names_where_they_have_some():
    figure = confusion_matrix(torch.eye(3), torch.arange(3), ["5", "shirt"])
    axes = figure.axes[0]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [text.get_text() for text in labels] == ["5", "shirt", "2"]
