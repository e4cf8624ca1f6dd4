"""Pairs of vectors, embeddings or pixels, with the classes of what they stand for."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nnlab.nearness import AT_ONCE, Distance, roc_curve


class VectorPairs(NamedTuple):
    """Pairs of vectors of any kind, with the classes of what they stand for."""

    first: Float[Tensor, "n size"]
    second: Float[Tensor, "n size"]
    first_label: Int[Tensor, " n"]
    second_label: Int[Tensor, " n"]

    def is_same(self) -> Bool[Tensor, " n"]:
        return self.first_label == self.second_label

    def distances(self, distance: Distance) -> Float[Tensor, " n"]:
        parts = zip(self.first.split(AT_ONCE), self.second.split(AT_ONCE), strict=True)
        return torch.cat(
            [distance(a.unsqueeze(1), b.unsqueeze(1)).flatten() for a, b in parts]
        )

    def chosen(self, which: Bool[Tensor, " n"]) -> "VectorPairs":
        return VectorPairs(*(tensor[which] for tensor in self))


class Gallery(NamedTuple):
    """Labelled vectors that others are compared with."""

    vectors: Float[Tensor, "m size"]
    labels: Int[Tensor, " m"]


def joined(batches: Iterable[VectorPairs]) -> VectorPairs:
    """Return the pairs of all batches."""
    return VectorPairs(*(torch.cat(part) for part in zip(*batches, strict=True)))


def as_pixels(batch: tuple[Tensor, ...]) -> VectorPairs:
    """Return a batch of image pairs as vectors of their pixels."""
    return VectorPairs(batch[0].flatten(1), batch[1].flatten(1), *batch[2:])


def galleries(
    embed: Callable[[Tensor], Tensor], batches: Iterable[tuple[Tensor, Tensor]]
) -> tuple[Gallery, Gallery]:
    """Return labelled images to compare with, as embeddings and as pixels."""
    parts = [(embed(image), image.flatten(1), label) for image, label in batches]
    vectors, pixels, labels = (torch.cat(part) for part in zip(*parts, strict=True))
    return Gallery(vectors, labels), Gallery(pixels, labels)


def roc_curves(
    spaces: Mapping[str, tuple[VectorPairs, Distance]],
    *,
    seen: Bool[Tensor, " classes"],
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return the ROC curves of several kinds of vectors, classes unseen apart."""
    curves: dict[str, tuple[Tensor, Tensor]] = {}
    for name, (pairs, distance) in spaces.items():
        is_seen = seen[pairs.first_label]
        for kind, group in (("", is_seen), (", unseen classes", ~is_seen)):
            if group.any():
                chosen = pairs.chosen(group)
                apart = chosen.distances(distance)
                curves[f"{name}{kind}"] = roc_curve(apart, chosen.is_same())
    return curves
