import os

import numpy as np
import pytest
import torch

from nnlab.corpus.filter.checkpoint_arrays import BROKEN, Checkpoint, Unread


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("made_by_a_pickle",)


def test_tensors_are_those_that_torch_reads(tmp_path):
    whole = torch.randn(7, 5)
    tensors = {
        "whole": whole,
        "turned": whole.T,
        "part": whole[2:5, 1::2],
        "double": torch.randn(3, dtype=torch.float64),
        "counts": torch.arange(4),
        "half": torch.randn(2).half(),
        "empty": torch.zeros(0, 3),
        "one": torch.tensor(2.5),
        "truths": torch.tensor([True, False]),
    }
    torch.save({"state": tensors}, tmp_path / "a.ckpt")
    checkpoint = Checkpoint(tmp_path / "a.ckpt")
    found = checkpoint.arrays(checkpoint.content["state"])
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(found[name], tensor.numpy())


def test_nothing_that_a_pickle_names_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = {"a": Hostile(), "b": torch.float32, "c": torch.nn.Linear(1, 1), "d": 3}
    torch.save(content, "a.ckpt")
    found = Checkpoint(tmp_path / "a.ckpt").content
    assert isinstance(found["a"], Unread)
    assert found["b"] is Unread
    assert isinstance(found["c"], Unread)
    assert found["d"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["a.ckpt"]


def test_a_tensor_beyond_its_numbers_is_refused(tmp_path):
    torch.save({"a": torch.randn(4)}, tmp_path / "a.ckpt")
    checkpoint = Checkpoint(tmp_path / "a.ckpt")
    longer = checkpoint.content["a"]._replace(size=(5,))
    with pytest.raises(BROKEN):
        checkpoint.arrays({"a": longer})
