"""Where records begin and end in the bytes of a file, for when a parser is lost."""

import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

MAGIC = b"\x1f\x8b\x08"  # of a gzip member that is deflated, as all are
WINDOW = 1 << 20  # bytes
HEADER_MOST = 1 << 16  # bytes of a record's header
_STEP = 1 << 12  # bytes; deflate makes at most a thousand of one
_BEGINNING = b"WARC/1."
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d+)[ \t]*\r?$")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_NEWLINES = 4  # bytes between a record and the next
_PLAIN = re.compile(rb"\nWARC/1\.\d\r?\n")


class Extent(NamedTuple):
    """What lies at a record's offset.

    Args:
        end: the offset behind it; of one that is broken, as far as it could be read.
        is_whole: whether its length is what its header says, and it ends as it should.
    """

    end: int
    is_whole: bool


def is_gzip(file: IO[bytes]) -> bool:
    """Return whether the file begins like gzip."""
    file.seek(0)
    return file.read(len(MAGIC)) == MAGIC


def next_record(file: IO[bytes], start: int, *, packed: bool) -> int | None:
    """Return the first offset from `start` on at which a record begins, or None."""
    overlap = len(MAGIC) if packed else 12
    while True:
        file.seek(start)
        window = file.read(WINDOW)
        places = _magics(window) if packed else _lines(window)
        for place in places:
            if not packed or _inflates_to_record(file, start + place):
                return start + place
        if len(window) < WINDOW:
            return None
        start += WINDOW - overlap


def extent(file: IO[bytes], start: int, *, packed: bool) -> Extent | None:
    """Return how far the record at `start` reaches; None where no record begins there.

    In a file that is one single gzip member records begin inside it, and None is all
    that can be said.
    """
    file.seek(start)
    if packed:
        return _packed_extent(file, start)
    length = _length(file.read(HEADER_MOST))
    if length is None:
        return None
    file.seek(start + length)
    rest = file.read(_NEWLINES + len(_BEGINNING))
    tail = rest.lstrip(b"\r\n")
    size = file.seek(0, os.SEEK_END)
    is_whole = start + length <= size and (
        not tail
        or tail.startswith(_BEGINNING)
        or rest.startswith((b"\r\n\r\n", b"\n\n"))
    )
    return Extent(min(start + length + len(rest) - len(tail), size), is_whole)


def _packed_extent(file: IO[bytes], start: int) -> Extent | None:
    member = _Member(file, start)
    head, length, wanted = b"", 0, None
    for content in member:
        length += len(content)
        if wanted is None and len(head) < HEADER_MOST:
            head += content[:HEADER_MOST]
            wanted = _length(head)
        if not head.startswith(_BEGINNING[: len(head)]):
            return None
        if length > HEADER_MOST and (wanted is None or length > wanted + _NEWLINES):
            break  # a bomb is not inflated to its end
    if not head:
        return None
    is_long_enough = wanted is not None and wanted <= length <= wanted + _NEWLINES
    return Extent(member.end, member.is_whole and is_long_enough)


class _Member:
    """One gzip member, inflated in small pieces: no bomb fills the memory.

    Attributes:
        end: the offset behind what was read of it.
        is_whole: whether it ended, with the right checksum.
    """

    def __init__(self, file: IO[bytes], start: int) -> None:
        self.file, self.end, self.is_whole = file, start, False

    def __iter__(self) -> Iterator[bytes]:
        unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: a gzip header
        self.file.seek(self.end)
        while not unzip.eof:
            packed = self.file.read(_STEP)
            if not packed:
                return
            try:
                content = unzip.decompress(packed)
            except zlib.error:
                return
            self.end += len(packed) - len(unzip.unused_data)
            yield content
        self.is_whole = True


def _length(head: bytes) -> int | None:
    """Return the bytes of a record by its header: the header and the content."""
    end = _HEADER_END.search(head)
    said = _LENGTH.search(head[: end.end()]) if end else None
    return None if said is None or end is None else end.end() + int(said[1])


def _magics(window: bytes) -> list[int]:
    places: list[int] = []
    place = window.find(MAGIC)
    while place >= 0:
        places.append(place)
        place = window.find(MAGIC, place + 1)
    return places


def _lines(window: bytes) -> list[int]:
    return [match.start() + 1 for match in _PLAIN.finditer(window)]


def _inflates_to_record(file: IO[bytes], start: int) -> bool:
    file.seek(start)
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        return unzip.decompress(file.read(1 << 10), len(_BEGINNING)) == _BEGINNING
    except zlib.error:
        return False


def ends_whole(path: Path) -> bool:
    """Return whether a gzip file's last member ends, checksum and all, with the file.

    The last members are tried first; a file that is one large member is inflated.
    """
    with path.open("rb") as file:
        if not is_gzip(file):
            return False
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - WINDOW)
        file.seek(start)
        places = [start + place for place in _magics(file.read())]
        # by chance 1 of 16 million places looks like the beginning of a member
        tries = dict.fromkeys([*reversed(places[-3:]), 0])
        return any(_reaches_end(file, place, size) for place in tries)


def _reaches_end(file: IO[bytes], start: int, size: int) -> bool:
    """Return whether whole members follow each other from `start` to the file's end."""
    while start < size:
        member = _Member(file, start)
        for _ in member:
            pass
        if not member.is_whole:
            return False
        start = member.end
    return True
