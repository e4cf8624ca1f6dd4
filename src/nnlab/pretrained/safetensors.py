"""The safetensors format: named tensors in one file, nothing that could run.

https://huggingface.co/docs/safetensors: eight bytes with the header's length, little
end first; the header, JSON: name -> dtype, shape, and where the bytes lie; the bytes.
"""

import json
import math
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nnlab.errors import UserError

TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
LARGEST_HEADER = 100_000_000  # bytes, as in the format's own library


def read_safetensors(file: Path) -> dict[str, Tensor]:
    """Return a file's tensors by name; their bytes are read when they are used.

    Raises:
        UserError: where the file is missing, cut off, or not of this format.
    """
    try:
        content = np.memmap(file, dtype=np.uint8, mode="r")
        [length] = struct.unpack("<Q", content[:8].tobytes())
        if length > min(LARGEST_HEADER, len(content) - 8):
            raise ValueError("its header is longer than the file")  # noqa: TRY301
        header = json.loads(content[8 : 8 + length].tobytes())
        header.pop("__metadata__", None)
        return {
            name: _tensor(content[8 + length :], entry, name)
            for name, entry in header.items()
        }
    except FileNotFoundError as error:
        raise UserError(f"there is no file {file}") from error
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise UserError(f"{file} is not a whole safetensors file: {error}") from error


def write_safetensors(file: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors by name: beside the target first, then renamed."""
    names = {dtype: name for name, dtype in TYPES.items()}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": names[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    packed = json.dumps(header).encode()
    packed += b" " * (-len(packed) % 8)  # the tensors begin at a multiple of 8
    part = file.with_name(f"{file.name}.part")
    with part.open("wb") as target:
        target.write(struct.pack("<Q", len(packed)) + packed)
        for tensor in tensors.values():
            plain = tensor.detach().cpu().contiguous().flatten()
            target.write(plain.view(torch.uint8).numpy().tobytes())
    part.replace(file)


def _tensor(content: Any, entry: Mapping[str, Any], name: str) -> Tensor:
    if entry["dtype"] not in TYPES:
        raise ValueError(f"{name} has the type {entry['dtype']}")
    dtype, shape = TYPES[entry["dtype"]], entry["shape"]
    begin, end = entry["data_offsets"]
    size = math.prod(shape) * dtype.itemsize
    if min(begin, *shape, 0) < 0 or end - begin != size or end > len(content):
        raise ValueError(f"{name} does not lie where the header says")
    if size == 0:
        return torch.empty(shape, dtype=dtype)
    with warnings.catch_warnings():
        # the file is not to be written to, and whoever uses a weight copies it
        warnings.filterwarnings("ignore", "The given .* is not writable")
        flat = torch.frombuffer(content[begin:end], dtype=torch.uint8)
    if begin % dtype.itemsize or flat.data_ptr() % dtype.itemsize:
        flat = flat.clone()
    return flat.view(dtype).view(shape)
