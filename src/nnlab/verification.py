"""Verification: whether pairs that lie near each other are of one class.

Embeddings are judged beside the raw pixels of the same images, by the same rules.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from nnlab.nearness import (
    Distance,
    best_threshold,
    crossed_thresholds,
    knn_error,
    one_shot_accuracy,
    roc_area,
)
from nnlab.numerals import hundredths
from nnlab.vector_pairs import Gallery, VectorPairs, as_pixels, joined

TRIALS = 2000  # of one-shot recognition
PROJECTED = 1000  # embeddings shown in TensorBoard's projector


class Verification:
    """Holds a split's pairs as it is gone through, then judges embedding and pixels.

    Args:
        neighbours: that vote on an image's class.
        ways: classes among which an image is recognised by one example of each.
    """

    def __init__(self, *, neighbours: int, ways: int) -> None:
        self.neighbours, self.ways = neighbours, ways
        self._held: list[tuple[VectorPairs, VectorPairs]] = []
        self._scores: dict[str, float] = {}

    def add(self, pairs: VectorPairs, batch: tuple[Tensor, ...]) -> None:
        self._held.append((pairs, as_pixels(batch)))

    def best_thresholds(self, distance: Distance) -> Float[Tensor, "2"]:
        """Return the distances of embeddings and of pixels that part alike from not."""
        spaces = zip(self._both(), (distance, torch.cdist), strict=True)
        best = [best_threshold(x.distances(d), x.is_same()) for x, d in spaces]
        return torch.stack(best)

    def judge(
        self,
        galleries: Sequence[Gallery],
        *,
        distance: Distance,
        thresholds: Float[Tensor, "2"],
        halves: Sequence[Sequence[int]],
        seed: int,
    ) -> dict[str, float]:
        """Return the scores of what was added, and forget it.

        Those of raw pixels begin with `pixel_` and need the second gallery; those of
        classes that the gallery lacks begin with `unseen_`. `accuracy`: how often a
        pair is rightly called alike (nearer than the threshold) or not; `roc_area`;
        and, of each pair's first, `one_shot_accuracy` and `knn_error`.

        Unseen classes lie nearer together than those that were pushed apart, and their
        like pairs farther: the threshold of the seen ones says nothing of them. Where
        they come in two `halves`, each is judged by the other's.
        """
        both = zip(
            ("", "pixel_"), self._both(), (distance, torch.cdist), thresholds,
            strict=True,
        )  # fmt: skip
        self._scores = {}
        for gallery, (kind, pairs, measure, threshold) in zip(
            galleries, both, strict=False
        ):
            is_seen = torch.isin(pairs.first_label, gallery.labels)
            seen, unseen = pairs.chosen(is_seen), pairs.chosen(~is_seen)
            scores = self._compare(seen, measure, threshold, seed)
            if len(unseen.first):
                border = _border(unseen, measure, threshold, halves)
                others = self._compare(unseen, measure, border, seed)
                scores |= {f"unseen_{name}": value for name, value in others.items()}
            self._scores |= {f"{kind}{name}": value for name, value in scores.items()}
            self._scores[f"{kind}knn_error"] = knn_error(
                seen.first,
                seen.first_label,
                *gallery,
                neighbours=self.neighbours,
                distance=measure,
            )
        self._held = []
        return self._scores

    def project(
        self, loggers: Sequence[object], *, shape: tuple[int, int, int], step: int
    ) -> None:
        """Hand embeddings to TensorBoard's projector, each with its class and image."""
        pairs, pixels = self._both()
        number = min(PROJECTED, len(pairs.first))
        index = torch.linspace(0, len(pairs.first) - 1, number).round().long()
        image = pixels.first.cpu()[index].unflatten(1, shape)
        for logger in loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_embedding(
                    pairs.first.cpu()[index],
                    metadata=pairs.first_label.cpu()[index].tolist(),
                    label_img=(image - image.min()) / (image.max() - image.min()),
                    tag="embedding",
                    global_step=step,
                )

    def sentence(self) -> str | None:
        """Say how embeddings compare with raw pixels, once both are judged.

        Of classes never seen, where there are some: that is what they are for.
        """
        said = {name: f"{hundredths(value)}%" for name, value in self._scores.items()}
        if "pixel_knn_error" not in said:
            return None
        if "unseen_accuracy" not in said:
            return (
                f"Nearest neighbours mislabel {said['knn_error']} of the images; "
                f"by raw pixels they mislabel {said['pixel_knn_error']}."
            )
        return (
            f"Of pairs of classes never seen {said['unseen_accuracy']} are judged "
            f"rightly (raw pixels {said['pixel_unseen_accuracy']}, classes seen "
            f"{said['accuracy']}); shown one image of each such class, it recognises "
            f"{said['unseen_one_shot_accuracy']} of others (raw pixels "
            f"{said['pixel_unseen_one_shot_accuracy']})."
        )

    def _compare(
        self, pairs: VectorPairs, distance: Distance, threshold: Tensor, seed: int
    ) -> dict[str, float]:
        apart, is_same = pairs.distances(distance), pairs.is_same()
        return {
            "accuracy": float(((apart < threshold) == is_same).float().mean()),
            "roc_area": roc_area(apart, is_same),
            "one_shot_accuracy": one_shot_accuracy(
                pairs.first,
                pairs.first_label,
                ways=self.ways,
                trials=TRIALS,
                distance=distance,
                seed=seed,
            ),
        }

    def _both(self) -> tuple[VectorPairs, VectorPairs]:
        pairs, pixels = (joined(side) for side in zip(*self._held, strict=True))
        return pairs, pixels


def _border(
    unseen: VectorPairs,
    distance: Distance,
    threshold: Tensor,
    halves: Sequence[Sequence[int]],
) -> Tensor:
    if len(halves) < 2:
        return threshold
    first = torch.tensor(halves[0], device=unseen.first_label.device)
    return crossed_thresholds(
        unseen.distances(distance),
        unseen.is_same(),
        torch.isin(unseen.first_label, first),
    )
