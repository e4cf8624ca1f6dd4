"""Pairs of classes seen and never seen, judged by the thresholds meant for them."""

import torch

from nnlab.vector_pairs import Gallery, VectorPairs
from nnlab.verification import Verification


def verification(pairs: VectorPairs) -> Verification:
    judge = Verification(neighbours=1, ways=2)
    judge.add(pairs, (pairs.first, pairs.second, *pairs[2:]))
    return judge


def test_classes_never_seen_are_judged_by_the_threshold_of_their_other_half():
    # On a line: like pairs of the seen classes 0 and 1 are 1 apart and unlike ones 5;
    # of the unseen 2, 3 and 4, 5 they are 6 and 20.
    first_label = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    second_label = torch.tensor([0, 1, 1, 0, 2, 3, 3, 2, 4, 5, 5, 4])
    apart = torch.tensor([1.0, 5, 1, 5] + 4 * [6.0, 20])
    first = 100.0 * torch.arange(12)
    pairs = VectorPairs(
        first[:, None], (first + apart)[:, None], first_label, second_label
    )
    gallery = Gallery(first[:4, None], first_label[:4])
    borders = torch.tensor([3.0, 3.0])

    def accuracy(halves) -> float:
        scores = verification(pairs).judge(
            [gallery], distance=torch.cdist, thresholds=borders, halves=halves, seed=0
        )
        assert scores["accuracy"] == 1
        return scores["unseen_accuracy"]

    assert accuracy([[2, 3], [4, 5]]) == 1
    assert accuracy([[2, 3, 4, 5]]) == 0.5  # 3.0 calls all of them unlike
