"""Images that a model draws, on one sheet: the seam for GAN, VAE and what will come."""

import math
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

GAP = 2  # pixels between images
SCALE = 3  # a digit of 28 pixels is small on a screen


@runtime_checkable
class ImageModel(Protocol):
    """What a model must offer to be asked for images."""

    def sample(self, count: int, seed: int) -> Float[Tensor, "count 1 height width"]:
        """Return grey images in [0, 1], the same for the same seed."""
        ...


def sheet(
    images: Float[Tensor, "count 1 height width"],
) -> Float[Tensor, "rows columns"]:
    """Return the images in rows, as square as it goes, enlarged, on black."""
    columns = math.ceil(math.sqrt(len(images)))
    missing = -len(images) % columns
    large = images.squeeze(1).clamp(0, 1).cpu()
    large = large.repeat_interleave(SCALE, dim=1).repeat_interleave(SCALE, dim=2)
    framed = F.pad(large, (GAP, GAP, GAP, GAP, 0, missing))  # (count, height, width)
    rows = framed.unflatten(0, (-1, columns))  # (rows, columns, height, width)
    return torch.cat([torch.cat(list(row), dim=1) for row in rows])


def write_images(model: ImageModel, file: Path, *, samples: int, seed: int) -> None:
    """Write a PNG with `samples` images that the model draws."""
    from matplotlib.image import imsave

    with torch.inference_mode():
        image = sheet(model.sample(samples, seed))
    part = file.with_name(f"{file.name}.part")
    imsave(part, image.numpy(), format="png", cmap="gray", vmin=0, vmax=1)
    part.replace(file)
