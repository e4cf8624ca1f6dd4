"""WET archives: the conversion records of Common Crawl, read on past what is broken.

Parsing is fastwarc's. What it does not do is done here: a record that is shorter than
its Content-Length, or that has swallowed the next ones, is damage; after damage reading
goes on at the next record; no record beyond the cap is ever held in memory.

WARC 1.1: ISO 28500:2017. fastwarc: Bevendorff, Stein, Hagen & Potthast (2018), "Elastic
ChatNoir", ECIR.
"""

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO

from nnlab.corpus.document import Damage, Document
from nnlab.corpus.reader.edited_wet import is_edited, read_edited
from nnlab.corpus.reader.resynchronise import extent, is_gzip, next_record
from nnlab.errors import UserError
from nnlab.unreadable import why

try:
    from fastwarc.warc import (  # pyright: ignore[reportMissingModuleSource]
        ArchiveIterator,
        HeaderMap,
        WarcHeader,
        WarcRecordType,
    )
except ImportError as cause:
    raise UserError(
        "WET archives need fastwarc; install it: pip install 'nnlab[corpus]'"
    ) from cause

URL, KIND = WarcHeader.WARC_TARGET_URI, WarcHeader.CONTENT_TYPE
LANGUAGES = "WARC-Identified-Content-Language"
CONVERSION = WarcRecordType.conversion
_BEGINNING = b"\r\n\r\nWARC/1."  # so long that it is found fast
_SWALLOWED = re.compile(rb"\r\n\r\nWARC/1\.\d\r\n[\w-]+:")


def read(path: Path, *, maximum_bytes: int) -> Iterator[Document | Damage]:
    """Yield the documents of a WET file, and the damage between them.

    Args:
        maximum_bytes: of a record; a longer one is left out and said.
    """
    with path.open("rb") as file:
        if is_edited(file):
            yield from read_edited(file, maximum_bytes)
        else:
            yield from WetFile(file, maximum_bytes).read()


class WetFile:
    """A walk through a file that knows where it is.

    Attributes:
        at: where the record lies that was met last.
        held: its document, until the record behind it shows that it ended there.
        is_said: whether the file held a document, or it was said why not.
    """

    def __init__(self, file: IO[bytes], maximum_bytes: int) -> None:
        self.file, self.maximum_bytes = file, maximum_bytes
        self.packed = is_gzip(file)
        self.at: int | None = None
        self.held: Document | None = None
        self.is_said = False

    def read(self) -> Iterator[Document | Damage]:
        """Yield from one stretch of sound records after the other."""
        start: int | None = 0
        while start is not None:
            self.file.seek(start)
            self.at = self.held = None
            try:
                damage = yield from self._stretch()
                if damage is None:
                    damage = self._at_end(start)
            except OSError as error:  # what fastwarc raises
                damage = self._explained(start, error)
            if self.held is not None:
                yield self.held
                self.is_said = True
            if damage is None:
                break
            yield damage
            self.is_said = True
            start = self._next(damage.offset)
        if not self.is_said:
            yield Damage(0, "damaged", "no conversion record: is it a WET file?")

    def _stretch(self) -> Generator[Document | Damage, None, Damage | None]:
        """Yield documents; return the damage that ends them, None at the file's end."""
        for record in ArchiveIterator(self.file, parse_http=False):  # pyright: ignore[reportArgumentType]
            if self.held is not None:
                self.is_said = True
                yield self.held
                self.held = None
            offset = self.at = record.stream_pos
            length = record.content_length
            if length > self.maximum_bytes:
                said = f"{length:,} bytes, more than {self.maximum_bytes:,}"
                damage = Damage(offset, "oversized", said)
                if self._can_go_on(offset):
                    return damage
                yield damage  # fastwarc skips it, without keeping it
                continue
            content = record.reader.read(length)
            if len(content) < length:
                said = f"{len(content):,} bytes of the {length:,} that it says"
                return Damage(offset, "damaged", said)
            if _BEGINNING in content and _SWALLOWED.search(content):
                said = f"the {length:,} bytes that it says reach into other records"
                return Damage(offset, "damaged", said)
            if record.record_type == CONVERSION:
                self.held = _document(record.headers, content, offset)
        return None

    def _next(self, offset: int) -> int | None:
        return next_record(self.file, offset + 1, packed=self.packed)

    def _can_go_on(self, offset: int) -> bool:
        """Return whether a record begins behind `offset`; leaves the file as it was."""
        place = self.file.tell()
        found = self._next(offset) is not None
        self.file.seek(place)
        return found

    def _explained(self, start: int, error: OSError) -> Damage:
        """Return where it broke: in the record met last, or behind its end."""
        said = str(error)[:1].lower() + str(error)[1:].rstrip(".")  # fastwarc's clause
        if error.strerror or "decompress" in said:
            said = why(error)
        if self.at is None:
            return Damage(start, "damaged", said)
        reach = extent(self.file, self.at, packed=self.packed)
        if reach is None or reach.is_whole:
            return Damage(reach.end if reach else self.at, "damaged", said)
        self.held = None
        return Damage(self.at, "damaged", said)

    def _at_end(self, start: int) -> Damage | None:
        """Return what is wrong with the file's end, where fastwarc saw nothing."""
        size = self.file.seek(0, os.SEEK_END)
        if size == 0:
            return Damage(0, "damaged", "the file is empty")
        if self.at is None:
            return Damage(start, "damaged", "no record begins here")
        reach = extent(self.file, self.at, packed=self.packed)
        if reach is None and self.packed:
            return None  # one gzip member around all records: it ended well
        if reach is None or not reach.is_whole:
            self.held = None
            return Damage(self.at, "damaged", "the file ends inside the record")
        self.file.seek(reach.end)
        if self.file.read(1 << 16).strip(b"\r\n\0"):
            return Damage(reach.end, "damaged", "the file ends inside the record")
        return None


def _document(headers: HeaderMap, content: bytes, offset: int) -> Document:
    languages = headers.get(LANGUAGES)
    return Document(
        content,
        headers.get(URL) or "",
        offset,
        headers.get(KIND) or "",
        tuple(languages.split(",")) if languages else (),
    )
