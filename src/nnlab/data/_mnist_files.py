"""The four files that MNIST and the sets made after it come in."""

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from nnlab.download import download
from nnlab.errors import UserError
from nnlab.idx import check_labels, read_idx


class IdxFile(NamedTuple):
    """An idx file: its name, its size in bytes and the SHA-256 of its content."""

    name: str
    size: int
    sha256: str


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
            f"{found} cannot be read ({cause}); delete or replace it"
        ) from cause


def _verify(content: bytes, file: IdxFile, *, name: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise UserError(
            f"{name} is not the published {file.name}: its content has the SHA-256 "
            f"{digest}, not {file.sha256}"
        )
