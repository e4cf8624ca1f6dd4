"""What sets of labelled grey images share: facts, splits, scaling, shifts."""

from functools import lru_cache
from typing import Annotated

import torch
from annotated_types import Interval
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from nnlab.batches import mix
from nnlab.errors import UserError

Level = Annotated[float, Interval(ge=0, le=1)]  # of grey: 0 black, 1 white
Shift = Annotated[int, Interval(ge=0, le=14)]  # pixels; 14 is half of MNIST's


def image_facts(*, size: int, classes: int) -> dict[str, int]:
    """Return the facts of square grey images."""
    return {
        "input_size": size * size,
        "classes": classes,
        "channels": 1,
        "height": size,
        "width": size,
    }


def stratified_split(
    labels: Int[Tensor, " items"], held_out: int, *, seed: int, key: str
) -> tuple[Int[Tensor, " kept"], Int[Tensor, " held_out"]]:
    """Return the indices to keep and those to hold out, drawn by seed, in rising order.

    Each class gives its share, rounded so that exactly `held_out` are drawn (largest
    remainders first). Raises `UserError`, naming `key`, where either side stays empty.
    """
    items = len(labels)
    if not 0 < held_out < items:
        raise UserError(
            f"{key}={held_out} cannot be drawn from {items} examples; "
            f"give 1 to {items - 1}"
        )
    counts = labels.bincount()
    shares = counts * held_out // items
    remainders = counts * held_out % items
    by_remainder = remainders.argsort(descending=True, stable=True)
    shares[by_remainder[: held_out - int(shares.sum())]] += 1

    generator = torch.Generator().manual_seed(mix(seed, -1))  # no epoch's order
    is_held_out = torch.zeros(items, dtype=torch.bool)
    for label in range(len(shares)):
        members = (labels == label).nonzero().flatten()
        drawn = torch.randperm(len(members), generator=generator)[: int(shares[label])]
        is_held_out[members[drawn]] = True
    return (~is_held_out).nonzero().flatten(), is_held_out.nonzero().flatten()


def normalise(
    image: UInt8[Tensor, "batch height width"],
    *,
    mean: float,
    standard_deviation: float,
) -> Float[Tensor, "batch 1 height width"]:
    """Return (image / 255 - mean) / standard_deviation, with a channel.

    Two operations in place after the conversion: it runs before every training step.
    """
    scaled = image.unsqueeze(1).float()
    return scaled.sub_(255 * mean).mul_(1 / (255 * standard_deviation))


def shift_randomly(
    image: UInt8[Tensor, "batch height width"],
    *,
    distance: int,
    generator: torch.Generator,
) -> UInt8[Tensor, "batch height width"]:
    """Move each image by up to `distance` pixels along each axis, over background 0."""
    items, height, width = image.shape
    start = torch.randint(2 * distance + 1, (2, items), generator=generator)
    row, column = start.to(image.device, non_blocking=True)
    padded = F.pad(image, (distance,) * 4)
    wide = padded.shape[2]
    # Whole rows of pixels are picked, from all that begin somewhere: a view.
    first = torch.add(column, row, alpha=wide).unsqueeze(1)
    places = first + _row_starts(items, height, padded.shape[1:], image.device)
    beginning = padded.view(-1).unfold(0, width, 1)
    return beginning.index_select(0, places.view(-1)).view_as(image)


@lru_cache(maxsize=8)
def _row_starts(
    items: int, height: int, padded: torch.Size, device: torch.device
) -> Int[Tensor, "items height"]:
    """Return where each of the first rows of padded images begins among all pixels."""
    tall, wide = padded
    first = torch.arange(items, device=device) * (tall * wide)
    return first.unsqueeze(1) + torch.arange(height, device=device) * wide
