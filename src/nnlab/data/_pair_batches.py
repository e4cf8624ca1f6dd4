"""Which image is paired with which: another of its class, or one of another class."""

from collections.abc import Iterator

import torch
from jaxtyping import Int
from torch import Tensor

from nnlab.batches import Batches, mix


class PairBatches(Batches):
    """Serves pairs of labelled images; both sides are a function of (seed, epoch)."""

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        assert self.seed is not None
        start = self._resume_position if self.epoch == self._resume_epoch else 0
        generator = torch.Generator().manual_seed(mix(self.seed, self.epoch, 1))
        first = self._order()
        second = draw_partners(self.tensors[1].cpu(), first, generator=generator)
        first, second = (side.to(self.device) for side in (first, second))
        for position in range(start, len(self)):
            sides = [self._share(side, position) for side in (first, second)]
            yield tuple(
                tensor.index_select(0, index)
                for tensor in self.tensors
                for index in sides
            )


def draw_partners(
    labels: Int[Tensor, " images"],
    anchors: Int[Tensor, " pairs"],
    *,
    generator: torch.Generator,
) -> Int[Tensor, " pairs"]:
    """Return an image for each anchor: for half of them another one of its class.

    For the others any image of another class. `labels` must hold two classes, and at
    least two images of each.
    """
    by_class = labels.argsort(stable=True)
    place = torch.empty_like(by_class)  # where by_class has an image
    place[by_class] = torch.arange(len(labels))
    counts = labels.bincount()
    starts = counts.cumsum(0) - counts
    start, count = starts[labels[anchors]], counts[labels[anchors]]
    share = torch.rand(len(anchors), generator=generator, dtype=torch.float64)
    # some steps on from the anchor, around its class, but never all the way
    steps = 1 + (share * (count - 1)).long()
    same = start + (place[anchors] - start + steps) % count
    # whatever is left when its class is cut out
    other = (share * (len(labels) - count)).long()
    other += (other >= start) * count
    is_same = torch.randperm(len(anchors), generator=generator) < len(anchors) // 2
    return by_class[torch.where(is_same, same, other)]
