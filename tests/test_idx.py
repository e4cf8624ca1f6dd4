import struct

import numpy as np
import pytest
import torch

from nnlab.errors import UserError
from nnlab.idx import check_labels, read_idx


def idx(array):
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return header + array.tobytes()


@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 4)])
def test_gives_back_what_was_written(shape):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    tensor = read_idx(idx(array), name="file", dimensions=array.ndim)
    assert tensor.dtype == torch.uint8
    assert np.array_equal(tensor.numpy(), array)


IMAGES = idx(np.zeros((3, 2, 2), dtype=np.uint8))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "begins with nothing"),
        (b"<html></html>", "is not an idx file .* begins with 3c68746d, not 00000803"),
        (idx(np.zeros(3, dtype=np.uint8)), "begins with 00000801"),
        (b"\0\0\x0d" + IMAGES[3:], "begins with 00000d03"),  # of floats
        (IMAGES[:9], "truncated: it ends within its header"),
        (IMAGES[:-1], "truncated: it has 27 of the 28 bytes"),
        (IMAGES + b"\0", "longer than the 28 bytes"),
        (idx(np.zeros((0, 2, 2), dtype=np.uint8)), "is empty"),
    ],
)
def test_each_fault_of_a_file_is_named(content, fault):
    with pytest.raises(UserError, match=f"^folder/file .*{fault}"):
        read_idx(content, name="folder/file", dimensions=3)


def test_labels_are_as_many_as_images_and_within_the_classes():
    images, labels = torch.zeros(4, 2, 2), torch.tensor([0, 9, 1, 2])
    check_labels(labels, images, name="file", classes=10)
    with pytest.raises(UserError, match="file has 3 labels for 4 images"):
        check_labels(labels[:3], images, name="file", classes=10)
    with pytest.raises(UserError, match="file has the label 9; labels go from 0 to 8"):
        check_labels(labels, images, name="file", classes=9)
