import numpy as np
import torch

from nnlab.picture.worst_pairs import worst_pairs


def test_draws_the_farthest_like_pairs_then_the_nearest_unlike_ones():
    first = torch.arange(5.0).view(5, 1, 1).expand(5, 4, 4)
    labels = torch.tensor([[1, 1], [1, 1], [1, 2], [3, 1], [2, 2]])
    distances = torch.tensor([0.2, 0.9, 0.5, 0.1, 0.4])
    figure = worst_pairs(first, 10 + first, labels, distances)
    [axes] = figure.axes
    titles = [text.get_text() for text in axes.texts]
    assert titles == [
        "1 and 1: 0.90", "2 and 2: 0.40", "1 and 1: 0.20",
        "3 and 1: 0.10", "1 and 2: 0.50",
    ]  # fmt: skip
    pixels = np.asarray(axes.images[0].get_array())
    assert pixels.shape == (4, 8)
    assert (pixels[:, :4] == 1).all()
    assert (pixels[:, 4:] == 11).all()
