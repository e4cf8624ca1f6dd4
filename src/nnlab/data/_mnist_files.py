"""MNIST's four files, and the base of it and of the sets made after it."""

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor
from typing_extensions import override

from nnlab.data._images import Level, Shift, stratified_split
from nnlab.data._labelled_images import LabelledImages
from nnlab.data._subset import Classes
from nnlab.data_module import Splits
from nnlab.download import data_folder, download
from nnlab.errors import UserError
from nnlab.idx import check_labels, read_idx
from nnlab.limits import Count, Natural, Positive
from nnlab.unreadable import why


class IdxFile(NamedTuple):
    """An idx file: its name, its size in bytes and the SHA-256 of its content."""

    name: str
    size: int
    sha256: str


class Published(NamedTuple):
    """Where a set's files are, each pair images and labels.

    Attributes:
        name: of the folder that holds raw/*-ubyte.
    """

    name: str
    mirrors: Sequence[str]
    train: tuple[IdxFile, IdxFile]
    test: tuple[IdxFile, IdxFile]


class MNISTFiles(LabelledImages):
    """60,000 and 10,000 images of 28x28 in ten classes, in files of MNIST's names.

    The test set is the published one; the validation set is drawn from the training
    set. A set answers one question: `published()`.

    Args, beside those of `LabelledImages`:
        data_dir: holds the set's folder, or is where it is downloaded to; None:
            $NNLAB_DATA, else the user's cache folder.
        validation_size: images held out of the 60,000, each class by its share.
    """

    def __init__(
        self,
        *,
        data_dir: str | None,
        batch_size: Count,
        evaluation_batch_size: Count,
        validation_size: Natural,
        classes: Classes,
        train_size: Count | None,
        mean: Level,
        standard_deviation: Positive,
        shift: Shift,
        shuffles_pixels: bool,
        seed: Natural,
    ) -> None:
        super().__init__(
            size=28,
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            classes=classes,
            train_size=train_size,
            mean=mean,
            standard_deviation=standard_deviation,
            shift=shift,
            shuffles_pixels=shuffles_pixels,
            seed=seed,
        )
        self.data_dir = data_dir
        self.validation_size = validation_size

    def published(self) -> Published:
        """Return where the files are, and what they must be."""
        raise NotImplementedError

    @override
    def whole(self) -> Splits:
        name, mirrors, train_files, test_files = self.published()
        folder = data_folder(self.data_dir) / name / "raw"
        classes = len(self.known)
        image, label = read_pair(
            *train_files, folder=folder, mirrors=mirrors, classes=classes
        )
        test = read_pair(*test_files, folder=folder, mirrors=mirrors, classes=classes)
        kept, held_out = stratified_split(
            label, self.validation_size, seed=self.seed, key="data.validation_size"
        )
        train = image.index_select(0, kept), label[kept]
        return Splits(train, (image[held_out], label[held_out]), test)


def read_pair(
    images: IdxFile,
    labels: IdxFile,
    *,
    folder: Path,
    mirrors: Sequence[str],
    classes: int,
) -> tuple[Tensor, Tensor]:
    """Return uint8 images (items, height, width) and int64 labels (items).

    A file is looked for in `folder`, then as .gz beside, then fetched from a mirror.
    Each use is verified, also of a file that has long been there. Raises `UserError`.
    """
    image_path, image_content = _find(images, folder=folder, mirrors=mirrors)
    label_path, label_content = _find(labels, folder=folder, mirrors=mirrors)
    try:
        image = read_idx(image_content, name=str(image_path), dimensions=3)
        label = read_idx(label_content, name=str(label_path), dimensions=1)
        check_labels(label, image, name=str(label_path), classes=classes)
        # last, because it says least about what is wrong
        _verify(image_content, images, name=str(image_path))
        _verify(label_content, labels, name=str(label_path))
    except UserError as fault:
        remedy = f"delete it, and it is downloaded anew from {mirrors[0]}"
        raise UserError(f"{fault}; {remedy}") from fault
    return image, label.long()


def _find(file: IdxFile, *, folder: Path, mirrors: Sequence[str]) -> tuple[Path, bytes]:
    path = folder / file.name
    packed = folder / f"{file.name}.gz"
    if not path.exists() and not packed.exists():
        urls = [f"{mirror}{file.name}.gz" for mirror in mirrors]
        download(urls, path, sha256=file.sha256, size=file.size)
    found = path if path.exists() else packed
    try:
        # one byte more than expected tells a longer file, and stops a bomb
        with found.open("rb") if found == path else gzip.open(found) as stream:
            return found, stream.read(file.size + 1)
    except (OSError, EOFError, zlib.error) as cause:
        raise UserError(
            f"{found} cannot be read ({why(cause)}); delete or replace it"
        ) from cause


def _verify(content: bytes, file: IdxFile, *, name: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise UserError(
            f"{name} is not the published {file.name}: its content has the SHA-256 "
            f"{digest}, not {file.sha256}"
        )
