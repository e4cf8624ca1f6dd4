"""Reads a checkpoint without torch: a worker then holds 150 MB, not 670.

`torch.save` writes a zip: a pickle of everything but the numbers, and a file for each
row of numbers (https://docs.pytorch.org/docs/stable/notes/serialization.html). Nothing
that the pickle names is imported or called: what is neither a container nor a tensor
becomes `Unread`.
"""

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

_TYPES: Mapping[str, str] = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}
BROKEN = (
    *(AttributeError, EOFError, ImportError, IndexError, KeyError, OSError),
    *(pickle.UnpicklingError, TypeError, UnicodeDecodeError, ValueError),
)


class Stored(NamedTuple):
    """A tensor that is not read yet: where its numbers are, and how they lie there."""

    row: tuple[str, str]  # type, name
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class Unread:
    """Stands for whatever else a checkpoint may hold."""

    def __init__(self, *given: Any, **named: Any) -> None: ...

    def __setstate__(self, state: Any) -> None: ...


class Checkpoint:
    """A checkpoint's content, its tensors as `Stored`.

    Raises:
        BROKEN: one of these, where it is no checkpoint or a damaged one.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        with ZipFile(file) as packed:
            [name] = [each for each in packed.namelist() if each.endswith("/data.pkl")]
            self.root = name.removesuffix("data.pkl")
            self.content: Any = _Pickle(BytesIO(packed.read(name))).load()

    def arrays(self, stored: Mapping[str, Stored]) -> dict[str, NDArray[Any]]:
        """Return tensors as arrays."""
        with ZipFile(self.file) as packed:
            return {name: self._array(packed, each) for name, each in stored.items()}

    def _array(self, packed: ZipFile, stored: Stored) -> NDArray[Any]:
        type_name, name = stored.row
        numbers = np.frombuffer(packed.read(f"{self.root}data/{name}"), type_name)
        steps = [step * numbers.itemsize for step in stored.stride]
        row = numbers[stored.offset :]
        needed = 1 + sum(
            (size - 1) * step
            for size, step in zip(stored.size, stored.stride, strict=True)
        )
        if 0 not in stored.size and needed > len(row):
            raise ValueError(f"tensor {name} is cut")
        return np.ndarray(stored.size, row.dtype, row, 0, steps).copy()


class _Pickle(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module_name, global_name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _stored
        if module_name == "torch" and global_name in _TYPES:
            return _TYPES[global_name]
        return Unread

    def persistent_load(self, pid: Any, /) -> Any:
        _, type_name, name, *_ = pid
        return type_name, name


def _stored(row: Any, offset: int, size: Any, stride: Any, *more: Any) -> Stored:
    del more  # whether it takes gradients, and hooks
    return Stored(row, offset, tuple(size), tuple(stride))
