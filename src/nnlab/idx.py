"""The idx format of MNIST, read with every fault of a file named.

torchvision reads it too, but a fault there is an assertion without the file's name.
Format: http://yann.lecun.com/exdb/mnist/, "The idx file format".
"""

import math
import struct

import torch
from torch import Tensor

from nnlab.errors import UserError
from nnlab.numerals import counted

_UNSIGNED_BYTE = 0x08


def read_idx(content: bytes, *, name: str, dimensions: int) -> Tensor:
    """Return the uint8 tensor that an idx file of bytes holds.

    Raises `UserError`, beginning with `name`, where the content is no idx file of so
    many dimensions, or is shorter or longer than its header says.
    """
    magic = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    if content[:4] != magic:
        raise UserError(
            f"{name} is not an idx file of bytes in {dimensions} dimensions: it begins "
            f"with {content[:4].hex() or 'nothing'}, not {magic.hex()}"
        )
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise UserError(
            f"{name} is truncated: it ends within its header of {start} bytes"
        )
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    expected = start + math.prod(shape)
    if len(content) < expected:
        raise UserError(
            f"{name} is truncated: it has {len(content)} of the {expected} bytes that "
            f"its header announces"
        )
    if len(content) > expected:
        raise UserError(f"{name} is longer than the {expected} bytes of its header")
    if expected == start:
        raise UserError(f"{name} is empty: its header announces the shape {shape}")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=start).view(
        shape
    )


def check_labels(labels: Tensor, images: Tensor, *, name: str, classes: int) -> None:
    """Raise `UserError` unless each image has one label, from 0 to classes - 1."""
    if len(labels) != len(images):
        said = f"{counted(len(labels), 'label')} for {counted(len(images), 'image')}"
        raise UserError(f"{name} has {said}")
    highest = int(labels.max())
    if highest >= classes:
        raise UserError(
            f"{name} has the label {highest}; labels go from 0 to {classes - 1}"
        )
