"""How well nearness tells like from unlike: k-NN error, ROC, one-shot recognition.

The judges take vectors of any kind and any distance, so that an embedding and the raw
pixels are judged alike.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

AT_ONCE = 500  # vectors compared with all others: 110 MB for 55,000

# (… n size), (… m size) -> (… n m)
Distance = Callable[[Tensor, Tensor], Tensor]


def knn_error(
    vectors: Float[Tensor, "n size"],
    labels: Int[Tensor, " n"],
    gallery: Float[Tensor, "m size"],
    gallery_labels: Int[Tensor, " m"],
    *,
    neighbours: int,
    distance: Distance,
) -> float:
    """Return the share of vectors whose nearest vote for another class than theirs."""
    said = knn_labels(
        vectors, gallery, gallery_labels, neighbours=neighbours, distance=distance
    )
    return int((said != labels).sum()) / len(vectors)


def knn_labels(
    vectors: Float[Tensor, "n size"],
    gallery: Float[Tensor, "m size"],
    gallery_labels: Int[Tensor, " m"],
    *,
    neighbours: int,
    distance: Distance,
) -> Int[Tensor, " n"]:
    """Return the class that each vector's nearest in the gallery vote for.

    Of classes with as many votes the one whose neighbours are nearer wins.
    """
    nearest = min(neighbours, len(gallery))
    classes = int(gallery_labels.max()) + 1
    # a vote counts a little more the nearer it is; all of it together less than one
    weight = 1 + torch.linspace(0.5, 0, nearest, device=vectors.device) / nearest
    said: list[Tensor] = []
    for part in vectors.split(AT_ONCE):
        index = distance(part, gallery).topk(nearest, largest=False).indices
        votes = torch.zeros(len(part), classes, device=part.device)
        votes.scatter_add_(1, gallery_labels[index], weight.expand(index.shape))
        said.append(votes.argmax(dim=1))
    return torch.cat(said)


def roc_curve(
    distances: Float[Tensor, " pairs"], is_same: Bool[Tensor, " pairs"]
) -> tuple[Float[Tensor, " points"], Float[Tensor, " points"]]:
    """Return false and true positive rates as the accepted distance grows from 0.

    A point for each distance that occurs, and (0, 0) before them.
    """
    ordered, order = distances.sort()
    same = is_same[order].double()
    is_last = torch.ones_like(same, dtype=torch.bool)
    is_last[:-1] = ordered[1:] != ordered[:-1]  # equal distances are accepted together
    rates = [
        side.cumsum(0)[is_last] / side.sum().clamp(min=1) for side in (1 - same, same)
    ]
    zero = rates[0].new_zeros(1)
    return torch.cat([zero, rates[0]]), torch.cat([zero, rates[1]])


def roc_area(
    distances: Float[Tensor, " pairs"], is_same: Bool[Tensor, " pairs"]
) -> float:
    """Return the area under the ROC curve.

    How often a pair of one class is the nearer one, compared with a pair of two.
    """
    false_positive, true_positive = roc_curve(distances, is_same)
    return float(torch.trapezoid(true_positive, false_positive))


def best_threshold(
    distances: Float[Tensor, " pairs"], is_same: Bool[Tensor, " pairs"]
) -> Float[Tensor, ""]:
    """Return the distance below which most pairs that are called alike are."""
    ordered, order = distances.sort()
    gains = is_same[order].long() * 2 - 1  # of accepting one pair more
    totals = F.pad(gains.cumsum(0), (1, 0))  # of accepting the nearest 0, 1, 2 …
    is_tie = ordered[1:] == ordered[:-1]
    totals[1:-1][is_tie] = -len(gains)  # of equal distances all are accepted, or none
    between = F.pad((ordered[1:] + ordered[:-1]) / 2, (1, 1))
    between[0], between[-1] = ordered[0], ordered[-1] + 1
    return between[totals.argmax()]


def crossed_thresholds(
    distances: Float[Tensor, " pairs"],
    is_same: Bool[Tensor, " pairs"],
    is_first_half: Bool[Tensor, " pairs"],
) -> Float[Tensor, " pairs"]:
    """Return for each pair the threshold that is best for the other half of the pairs.

    As the folds of Huang et al. (2007), "Labeled Faces in the Wild", section III: where
    the halves share no class, no class that is judged has had a say.
    """
    first, second = (
        best_threshold(distances[half], is_same[half])
        for half in (is_first_half, ~is_first_half)
    )
    return torch.where(is_first_half, second, first)


def one_shot_accuracy(
    vectors: Float[Tensor, "n size"],
    labels: Int[Tensor, " n"],
    *,
    ways: int,
    trials: int,
    distance: Distance,
    seed: int,
) -> float:
    """Return how often the nearest of `ways` examples, one a class, is of one's class.

    Lake et al. (2011), as Koch et al. (2015), section 4.3. Each trial draws its
    classes, an example of each and, of the first class, another image to recognise;
    with fewer classes than `ways` it draws them all.
    """
    generator = torch.Generator().manual_seed(seed)
    on_cpu = labels.cpu()
    counts = on_cpu.bincount()
    present = (counts > 1).nonzero().flatten()
    by_class, starts = on_cpu.argsort(stable=True), counts.cumsum(0) - counts
    order = torch.rand(trials, len(present), generator=generator).argsort(dim=1)
    classes = present[order[:, :ways]]  # (trials, ways)
    count = counts[classes]
    share = torch.rand(2, *classes.shape, generator=generator, dtype=torch.float64)
    shown = (share[0] * count).long()
    asked = (shown + 1 + (share[1] * (count - 1)).long()) % count  # never the one shown
    right = 0
    for at, example, query in zip(
        *(x.split(AT_ONCE) for x in (starts[classes], shown, asked)), strict=True
    ):
        support = vectors[by_class[at + example].to(vectors.device)]
        image = vectors[by_class[(at + query)[:, :1]].to(vectors.device)]
        nearest = distance(image, support).squeeze(1).argmin(dim=1)  # (trials)
        right += int((nearest == 0).sum())
    return right / trials
