import torch

from nnlab.picture.worst_classified import worst_classified


def scores_for(*shares: list[float]) -> torch.Tensor:
    return torch.tensor(shares).log()


IMAGES = torch.arange(4.0)[:, None, None].expand(4, 5, 5) / 3


def titles(figure):
    [axes] = figure.axes
    return [text.get_text() for text in axes.texts]


def shown(figure):
    [axes] = figure.axes
    return [round(3 * float(drawn.get_array()[0, 0])) for drawn in axes.images]


def test_shows_the_wrong_ones_the_most_confident_first():
    scores = scores_for([0.6, 0.3, 0.1], [0.05, 0.05, 0.9], [0.2, 0.7, 0.1], [1, 0, 0])
    figure = worst_classified(IMAGES, scores, torch.tensor([1, 0, 0, 0]))
    assert titles(figure) == [
        "said 2, is 0, 90%",
        "said 1, is 0, 70%",
        "said 0, is 1, 60%",
    ]
    assert shown(figure) == [1, 2, 0]
    assert figure.get_suptitle() == "3 of 4 are wrong; the most confident of them"


def test_shows_the_least_confident_where_none_is_wrong_and_says_so():
    scores = scores_for([0.6, 0.3, 0.1], [0.05, 0.05, 0.9], [0.2, 0.7, 0.1], [1, 0, 0])
    figure = worst_classified(IMAGES, scores, torch.tensor([0, 2, 1, 0]))
    assert shown(figure) == [0, 2, 1, 3]
    assert figure.get_suptitle() == "all 4 are right; the least confident of them"


def test_never_claims_a_certainty_of_100_percent():
    figure = worst_classified(
        IMAGES[:1], torch.tensor([[99.0, 0.0]]), torch.tensor([1])
    )
    assert titles(figure) == ["said 0, is 1, 99%"]


def test_shows_at_most_sixteen():
    images, scores = torch.rand(50, 3, 3), torch.rand(50, 2)
    figure = worst_classified(images, scores, 1 - scores.argmax(dim=1))
    assert len(shown(figure)) == 16


def test_classes_that_have_names_are_called_by_them():
    scores = scores_for([0.6, 0.4], [0.2, 0.8])
    names = ("bag", "ankle boot")
    figure = worst_classified(IMAGES[:2], scores, torch.tensor([1, 0]), names)
    assert titles(figure) == [
        "said ankle boot,\nis bag, 80%",
        "said bag,\nis ankle boot, 60%",
    ]
