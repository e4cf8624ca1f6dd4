import gzip
import hashlib
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from nnlab.data import _mnist_files, mnist
from nnlab.data._mnist_files import IdxFile
from nnlab.data.mnist import MNIST
from nnlab.errors import UserError

YAML = Path(__file__).parents[2] / "conf/data/mnist.yaml"
NUMBERS: dict = {**OmegaConf.to_container(OmegaConf.load(YAML)), "seed": 0}
assert NUMBERS.pop("_target_") == f"{MNIST.__module__}.MNIST"


def make(**keywords) -> MNIST:
    return MNIST(**{**NUMBERS, **keywords})


def idx(array):
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim)
    return header + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Forty and twenty small digits in MNIST's files; downloads fail."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    numbers = np.random.default_rng(0)
    for split, prefix, items in (("TRAIN", "train", 40), ("TEST", "t10k", 20)):
        images = numbers.integers(0, 256, (items, 28, 28), dtype=np.uint8)
        labels = (np.arange(items) % 10).astype(np.uint8)
        files = []
        for array, kind in ((images, "images-idx3"), (labels, "labels-idx1")):
            content, name = idx(array), f"{prefix}-{kind}-ubyte"
            (folder / name).write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            files.append(IdxFile(name, len(content), digest))
        monkeypatch.setattr(mnist, split, tuple(files))

    def no_network(urls, target, **_):
        raise UserError(f"{target.name} is missing, {urls[0]}, {target.parent}")

    monkeypatch.setattr(_mnist_files, "download", no_network)
    return folder


def load(folder, **keywords):
    root = str(folder.parents[1])
    return make(data_dir=root, **{"validation_size": 10, **keywords}).load()


def fault(folder):
    with pytest.raises(UserError) as error:
        load(folder)
    assert "\n" not in str(error.value)
    assert str(folder) in str(error.value)
    return str(error.value)


def test_splits_never_overlap_and_the_test_set_is_the_published_one(small):
    splits = load(small)
    assert [len(image) for image, _ in splits] == [30, 10, 20]
    train, validation, test = (
        {image.numpy().tobytes() for image in split[0]} for split in splits
    )
    assert len(train | validation | test) == 60
    assert torch.equal(splits.test[1], torch.arange(20) % 10)
    assert splits.validation[1].bincount().tolist() == [1] * 10


def test_the_seed_draws_the_validation_set(small):
    one, same, other = (load(small, seed=seed).validation[0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_packed_files_serve_as_well(small):
    plain = load(small)
    for path in list(small.iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    for left, right in zip(plain, load(small), strict=True):
        assert torch.equal(left[0], right[0])
        assert torch.equal(left[1], right[1])


def test_a_missing_file_is_asked_for_by_url_and_folder(small):
    (small / "t10k-labels-idx1-ubyte").unlink()
    sentence = fault(small)
    assert "https://" in sentence
    assert "t10k-labels-idx1-ubyte.gz" in sentence


def edit(path, change):
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("train-images-idx3-ubyte", lambda c: c[:-1], "truncated"),
        ("train-images-idx3-ubyte", lambda c: c[:10], "truncated"),
        ("train-images-idx3-ubyte", lambda c: c + b"x", "longer"),
        ("train-images-idx3-ubyte", lambda c: b"PK" + c[2:], "not an idx file"),
        ("train-images-idx3-ubyte", lambda _: b"", "begins with nothing"),
        ("train-labels-idx1-ubyte", lambda c: c[:-1] + b"\xff", "the label 255"),
        ("train-labels-idx1-ubyte", lambda c: c[:-1] + b"\x00", "SHA-256"),
        (
            "train-labels-idx1-ubyte",
            lambda _: idx(np.zeros(39, dtype=np.uint8)),
            "39 labels for 40 images",
        ),
        ("t10k-images-idx3-ubyte", lambda c: c[:-1] + b"\x00", "SHA-256"),
    ],
)
def test_each_damage_is_one_sentence_that_names_file_and_remedy(
    small, name, change, expected
):
    edit(small / name, change)
    sentence = fault(small)
    assert expected in sentence
    assert name in sentence
    assert "delete" in sentence


def test_swapped_splits_are_noticed(small):
    for kind in ("images-idx3", "labels-idx1"):
        train, test = small / f"train-{kind}-ubyte", small / f"t10k-{kind}-ubyte"
        content = train.read_bytes()
        train.write_bytes(test.read_bytes())
        test.write_bytes(content)
    assert "is not the published train-images" in fault(small)


@pytest.mark.parametrize("damage", [lambda c: c[:-12], lambda _: b"no gzip"])
def test_a_damaged_packed_file_is_one_sentence(small, damage):
    path = small / "train-images-idx3-ubyte"
    content = gzip.compress(path.read_bytes())
    path.unlink()
    path.with_name(f"{path.name}.gz").write_bytes(damage(content))
    assert "cannot be read" in fault(small)


def test_a_packed_file_of_gigabytes_is_not_unpacked(small):
    path = small / "train-images-idx3-ubyte"
    bomb = gzip.compress(path.read_bytes()[:16] + bytes(100_000_000))  # 0.1 MB
    path.unlink()
    path.with_name(f"{path.name}.gz").write_bytes(bomb)
    tracemalloc.start()
    assert "longer than" in fault(small)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_folder_in_a_files_place_is_one_sentence(small):
    path = small / "train-labels-idx1-ubyte"
    path.unlink()
    path.mkdir()
    assert "cannot be read" in fault(small)


def test_a_validation_set_of_everything_is_refused(small):
    with pytest.raises(UserError, match=r"data\.validation_size=40 .* give 1 to 39"):
        load(small, validation_size=40)


def test_only_training_images_are_shifted(small):
    class Stage:
        training = True

    data = make(data_dir=str(small.parents[1]), validation_size=10, shift=2)
    batch = data.load().train
    data.generator = lambda: torch.Generator().manual_seed(0)
    plain, _ = data.prepare(batch)
    data.trainer = Stage()
    shifted, label = data.prepare(batch)
    assert shifted.shape == plain.shape == (30, 1, 28, 28)
    assert not torch.equal(shifted, plain)
    assert torch.equal(label, batch[1])
    data.trainer.training = False
    assert torch.equal(data.prepare(batch)[0], plain)


@pytest.mark.real_data
def test_the_real_digits_are_all_there_and_normalised(real_data):
    data = make(data_dir=str(real_data))
    data.setup()
    splits = data.splits
    assert [len(image) for image, _ in splits] == [55_000, 5_000, 10_000]
    counts = splits.train[1].bincount() + splits.validation[1].bincount()
    assert counts.tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949
    ]  # fmt: skip
    assert splits.test[1].bincount().tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009
    ]  # fmt: skip
    assert splits.test[1][:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    shares = splits.validation[1].bincount() - counts * 5000 / 60_000
    assert shares.abs().max() < 1
    image, _ = data.prepare(splits.train)
    assert image.mean().abs() < 0.001
    assert (image.std() - 1).abs() < 0.001


@pytest.mark.real_data
def test_the_real_digits_are_those_that_torchvision_reads(real_data):
    from torchvision import datasets

    expected = datasets.MNIST(str(real_data), train=False)
    image, label = make(data_dir=str(real_data)).load().test
    assert torch.equal(image, expected.data)
    assert torch.equal(label, expected.targets)
