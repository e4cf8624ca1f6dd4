"""What `input=` names: files, several of them, a folder, or the text itself."""

import glob
import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from nnlab.errors import UserError
from nnlab.given.given import Given, Pictures, Texts
from nnlab.given.picture import read_idx_images, read_picture
from nnlab.unreadable import why

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm")
TEXTS = (".csv", ".tsv", ".txt")
# A word that ends so is a file's name, also where there is no such file.
FILES = (*PICTURES, *TEXTS, ".gz", ".idx", "-ubyte")
GZIP, IDX = b"\x1f\x8b", b"\x00\x00\x08"
MOST_BYTES = 2**30  # of one file, unpacked


def find_given(words: str, *, resizes: bool = False, inverts: bool = False) -> Given:
    """Return what `input=` gives: pictures or text, one kind of them.

    Args:
        words: a file, a pattern (*.png) or a folder, several with commas between them;
            anything else is text.
        resizes: pictures of another size are brought to the one that is wanted.
        inverts: dark on light becomes light on dark.

    Raises:
        UserError: where a file is missing, empty, or not what its name says.
    """
    files = _files(words)
    if files is None:
        if not words.strip():
            raise UserError(
                "input= is empty; give a picture, an idx file, a .csv or text"
            )
        _refuse_changes(words, resizes=resizes, inverts=inverts)
        return Texts([words], [words], is_typed=True)
    read = [(str(file), _read(file)) for file in files]
    kinds = {isinstance(content, str) for _, content in read}
    if len(kinds) == 2:
        raise UserError(f"input={words} mixes pictures and text; give one of them")
    if kinds == {True}:
        _refuse_changes(words, resizes=resizes, inverts=inverts)
        names, texts = [name for name, _ in read], [str(text) for _, text in read]
        return Texts(names, texts)
    pictures = [each for name, content in read for each in _named(name, content)]
    images = [255 - image if inverts else image for _, image in pictures]
    return Pictures([name for name, _ in pictures], images, resizes)


def _refuse_changes(words: str, *, resizes: bool, inverts: bool) -> None:
    if resizes or inverts:
        name = "resize" if resizes else "invert"
        raise UserError(f"{name}=true is for pictures, and input={words[:60]} is text")


def _named(name: str, content: "str | Sequence[Tensor]") -> list[tuple[str, Tensor]]:
    assert not isinstance(content, str)
    if len(content) == 1:
        return [(name, content[0])]
    return [(f"{name} {number}", image) for number, image in enumerate(content)]


def _files(words: str) -> list[Path] | None:
    """Return the files that were named, None where it is text."""
    whole = _found(words)
    if whole:
        return whole
    listed = words.strip()
    if listed.startswith("[") and listed.endswith("]"):
        listed = listed[1:-1]
    parts = [part.strip() for part in listed.split(",")]
    found = [_found(part) for part in parts]
    missing = [part for part, files in zip(parts, found, strict=True) if not files]
    named = [part for part in missing if part.lower().endswith(FILES)]
    if named:
        raise UserError(f"input={named[0]}: there is no such file")
    if missing:
        return None
    return [file for files in found for file in files]


def _found(word: str) -> list[Path]:
    place = Path(word).expanduser()
    try:
        if place.is_file():
            return [place]
        if word.strip() and place.is_dir():
            inside = sorted(file for file in place.iterdir() if file.is_file())
            files = [file for file in inside if not file.name.startswith(".")]
            if not files:
                raise UserError(f"input={word} is a folder without a file in it")
            return files
    except OSError:  # a text too long for a name
        return []
    named = map(Path, sorted(glob.glob(str(place))))  # noqa: PTH207  # may be absolute
    return [file for file in named if file.is_file()]


def _read(file: Path) -> "str | list[Tensor]":
    content = _content(file)
    if not content:
        raise UserError(f"input={file} is empty")
    name = str(file)
    if content.startswith(IDX):
        return read_idx_images(content, name=name)
    if file.suffix.lower() in PICTURES:
        return [read_picture(content, name=name)]
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if file.suffix.lower() in TEXTS:
            raise UserError(f"input={name} is not UTF-8 text") from None
        return [read_picture(content, name=name)]


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if content.startswith(GZIP):
            with gzip.open(file) as stream:
                content = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"input={file} cannot be read: {why(error)}") from error
    if len(content) > MOST_BYTES:
        raise UserError(
            f"input={file} is larger than {MOST_BYTES >> 30} GiB; give less"
        )
    return content
