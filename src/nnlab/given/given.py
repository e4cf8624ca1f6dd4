"""The two kinds of things that a person gives, and what data make of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import UInt8
from torch import Tensor

from nnlab.errors import UserError

AT_ONCE = 1000  # examples in a batch
UNKNOWN = -1  # the label of an example of which nobody said one


@dataclass(frozen=True)
class Pictures:
    """Grey pictures, of whatever sizes.

    Args:
        names: one a picture: its file, or its place in one.
        images: uint8 (height, width) each.
        resizes: whether pictures of another size are brought to the one wanted.
    """

    names: list[str]
    images: list[Tensor]
    resizes: bool = False

    def of_size(self, height: int, width: int) -> UInt8[Tensor, "items height width"]:
        """Return all of them. Raises `UserError` where one has another size."""
        fitting: list[Tensor] = []
        for name, image in zip(self.names, self.images, strict=True):
            if image.shape != (height, width):
                if not self.resizes:
                    raise UserError(
                        f"input={name} is {image.shape[0]}x{image.shape[1]} pixels, "
                        f"and this run's model takes {height}x{width}; resize it, or "
                        "add resize=true"
                    )
                image = _resized(image, height, width)
            fitting.append(image)
        return torch.stack(fitting)

    def light_edges(self) -> list[str]:
        """Return the names of those whose edge is light: dark on a light ground."""
        return [
            name
            for name, image in zip(self.names, self.images, strict=True)
            if torch.cat([*image[[0, -1]], *image[:, [0, -1]].T]).float().mean() > 127
        ]


@dataclass(frozen=True)
class Texts:
    """Texts, of files or typed.

    Args:
        names: one a text: its file; of typed text the text itself.
    """

    names: list[str]
    texts: list[str]
    is_typed: bool = False

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield each line that is not blank after where it stands."""
        for name, text in zip(self.names, self.texts, strict=True):
            for number, line in enumerate(text.splitlines(), start=1):
                if line.strip():
                    place = line.strip() if self.is_typed else f"{name}, line {number}"
                    yield place, line


Given = Pictures | Texts


class Examples(NamedTuple):
    """What data made of it: a name for each example, and the batches they are in."""

    names: list[str]
    batches: list[tuple[Tensor, ...]]


class Served:
    """Serves batches as they lie; a bare list Lightning takes for several loaders."""

    def __init__(self, batches: list[tuple[Tensor, ...]]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return iter(self.batches)


def in_batches(names: list[str], *tensors: Tensor) -> Examples:
    """Return examples that are rows of the same tensors, so many at once."""
    parts: list[Sequence[Tensor]] = [tensor.split(AT_ONCE) for tensor in tensors]
    return Examples(names, list(zip(*parts, strict=True)))


def unlabelled(items: int) -> Tensor:
    """Return a label for each of so many examples of which nobody said one."""
    return torch.full((items,), UNKNOWN)


def _resized(image: Tensor, height: int, width: int) -> Tensor:
    """Return the picture as large as it fits, the rest black."""
    from PIL import Image, ImageOps

    fitted = ImageOps.pad(Image.fromarray(image.numpy()), (width, height), color=0)
    return torch.frombuffer(bytearray(fitted.tobytes()), dtype=torch.uint8).view(
        height, width
    )
