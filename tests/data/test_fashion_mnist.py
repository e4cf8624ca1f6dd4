import hashlib
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from nnlab.data import _mnist_files, fashion_mnist, mnist
from nnlab.data.fashion_mnist import FashionMNIST
from nnlab.errors import UserError

YAML = Path(__file__).parents[2] / "conf/data/fashion_mnist.yaml"
NUMBERS: dict = {**OmegaConf.to_container(OmegaConf.load(YAML)), "seed": 0}
assert NUMBERS.pop("_target_") == f"{FashionMNIST.__module__}.FashionMNIST"


def make(data_dir) -> FashionMNIST:
    return FashionMNIST(**{**NUMBERS, "data_dir": str(data_dir)})


def test_offers_what_mnist_offers(tmp_path):
    data = make(tmp_path)
    assert data.facts() == mnist.MNIST(**NUMBERS).facts()
    assert data.facts()["input_size"] == 784


def test_asks_for_its_own_files_in_its_own_folder(tmp_path, monkeypatch):
    asked = []

    def refuse(urls, target, *, sha256, size):
        asked.append((urls, target, sha256, size))
        raise UserError("no network")

    monkeypatch.setattr(_mnist_files, "download", refuse)
    with pytest.raises(UserError, match="no network"):
        make(tmp_path).load()
    ((urls, target, _, size),) = asked
    assert target == tmp_path / "FashionMNIST" / "raw" / "train-images-idx3-ubyte"
    assert size == 16 + 60_000 * 28 * 28
    assert all(url.startswith("https://") for url in urls)
    assert all(url.endswith("fashion/train-images-idx3-ubyte.gz") for url in urls)


def test_its_files_are_not_those_of_mnist():
    for ours, theirs in zip(
        fashion_mnist.TRAIN + fashion_mnist.TEST, mnist.TRAIN + mnist.TEST, strict=True
    ):
        assert (ours.name, ours.size) == (theirs.name, theirs.size)
        assert ours.sha256 != theirs.sha256
        assert len(ours.sha256) == hashlib.sha256().digest_size * 2


def test_digits_in_the_place_of_clothes_are_noticed(real_data, tmp_path):
    folder = tmp_path / "FashionMNIST"
    folder.mkdir()
    (folder / "raw").symlink_to(real_data / "MNIST" / "raw")
    with pytest.raises(UserError, match="is not the published train-images"):
        make(tmp_path).load()


@pytest.mark.real_data
def test_the_real_clothes_are_six_thousand_of_each_class(real_data):
    if not (real_data / "FashionMNIST" / "raw").is_dir():
        pytest.skip("needs FashionMNIST/raw in NNLAB_DATA")
    splits = make(real_data).load()
    counts = splits.train[1].bincount() + splits.validation[1].bincount()
    assert counts.tolist() == [6000] * 10
    assert splits.test[1].bincount().tolist() == [1000] * 10
    assert torch.equal(splits.test[1][:5], torch.tensor([9, 2, 1, 1, 6]))
