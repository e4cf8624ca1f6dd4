import json
import struct

import pytest
import torch

from nnlab.errors import UserError
from nnlab.pretrained.safetensors import TYPES, read_safetensors, write_safetensors

library = pytest.importorskip("safetensors.torch")


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    numbers = {
        name: (torch.randn(3, 5) * 50).to(dtype) for name, dtype in TYPES.items()
    }
    return {
        **numbers,
        "odd": torch.arange(3).to(torch.uint8),
        "none": torch.empty(0, 4),
        "scalar": torch.tensor(2.5),
        "turned": torch.randn(4, 2).T,
    }


def test_reads_what_the_library_writes(tmp_path, tensors):
    file = tmp_path / "theirs.safetensors"
    library.save_file({k: v.contiguous() for k, v in tensors.items()}, file)
    read = read_safetensors(file)
    assert read.keys() == tensors.keys()
    for name, expected in tensors.items():
        assert read[name].dtype == expected.dtype
        assert torch.equal(read[name], expected), name


def test_writes_what_the_library_reads(tmp_path, tensors):
    file = tmp_path / "ours.safetensors"
    write_safetensors(file, tensors)
    read = library.load_file(file)
    assert read.keys() == tensors.keys()
    for name, expected in tensors.items():
        assert torch.equal(read[name], expected), name


def packed(header: object, content: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


def entry(**changes: object) -> dict[str, object]:
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1234",
        struct.pack("<Q", 1 << 60) + b"{}",
        struct.pack("<Q", 3) + b"not",
        packed([1, 2]),
        packed(entry(), b"1234"),  # cut off
        packed(entry(shape=[3]), b"12345678"),
        packed(entry(dtype="F31"), b"12345678"),
        packed(entry(shape=[-1], data_offsets=[4, 0]), b"12345678"),
        packed(entry(data_offsets=[-8, 0]), b"12345678"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path, content):
    file = tmp_path / "damaged.safetensors"
    file.write_bytes(content)
    with pytest.raises(UserError, match="is not a whole safetensors file"):
        read_safetensors(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        read_safetensors(tmp_path / "none.safetensors")
