"""The plane as a classifier of two inputs sees it."""

from collections.abc import Callable
from functools import lru_cache
from threading import Lock

import torch
from jaxtyping import Float, Shaped
from PIL import Image
from torch import Tensor

from nnlab.picture.plane import Plane, Point
from nnlab.picture.scale import linear

MOST_POINTS = 400  # more hide the field
RESOLUTION = 121  # field values along each axis: one for three pixels
ROWS = 4096  # that are asked for at once: more do not stay in a processor's cache
DRAWING = Lock()  # a plane is kept for the next picture, perhaps another thread's

Extent = tuple[float, float]


def decision_boundary(
    probability: Callable[[Float[Tensor, "grid 2"]], Float[Tensor, " grid"]],
    points: Float[Tensor, "n 2"],
    labels: Shaped[Tensor, " n"],
) -> Image.Image:
    """Draw P(class 1) over the plane, the line where it is one half, and the points.

    Args:
        probability: gives P(class 1) for each row (x1, x2), for some thousand at a
            time; called without gradients, on the device of `points`.
        points: the examples; the picture is a third wider than they are.
        labels: 0 or 1 for each point.
    """
    x1, x2 = _axis(points[:, 0]), _axis(points[:, 1])
    rows, columns = torch.meshgrid(x2, x1, indexing="ij")
    plane = torch.stack([columns, rows], dim=-1).reshape(-1, 2)
    with torch.no_grad():
        field = torch.cat([probability(part) for part in plane.split(ROWS)])
    field = field.reshape(RESOLUTION, RESOLUTION).float().cpu().clamp(0, 1)
    shown, of_class = points[:MOST_POINTS].tolist(), labels[:MOST_POINTS].tolist()
    marks = tuple((*point, label) for point, label in zip(shown, of_class, strict=True))
    extents = [(float(x[0]), float(x[-1])) for x in (x1, x2)]
    with DRAWING:
        return _plane(*extents, marks).drawn(field)


def _axis(values: Float[Tensor, " n"]) -> Float[Tensor, " grid"]:
    low, high = values.min().float(), values.max().float()
    margin = (high - low) / 6 if high > low else torch.ones_like(low)
    steps = torch.linspace(0, 1, RESOLUTION, device=values.device)
    return low - margin + steps * (high - low + 2 * margin)


@lru_cache(maxsize=2)
def _plane(x1: Extent, x2: Extent, points: tuple[Point, ...]) -> Plane:
    return Plane(linear(*x1, is_tight=True), linear(*x2, is_tight=True), points)
