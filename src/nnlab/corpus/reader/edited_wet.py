"""A WET file that went through an editor: bare newlines, lengths that no longer hold.

Its records reach to the next line that begins one, whatever their Content-Length.
"""

import re
from collections.abc import Iterator
from typing import IO

from nnlab.corpus.document import Damage, Document

_BEGINS = re.compile(rb"WARC/1\.\d\n")
_LONGEST = 1 << 16  # bytes of a line that are read at once


def is_edited(file: IO[bytes]) -> bool:
    """Return whether the file begins with a record whose lines end in bare newlines."""
    file.seek(0)
    return _BEGINS.fullmatch(file.readline(_LONGEST)) is not None


def read_edited(file: IO[bytes], maximum_bytes: int) -> Iterator[Document | Damage]:
    """Yield the documents of an uncompressed file with bare newlines."""
    for offset, lines in _records(file, maximum_bytes):
        head, _, content = b"".join(lines).partition(b"\n\n")
        if len(content) > maximum_bytes:
            yield Damage(offset, "oversized", f"more than {maximum_bytes:,} bytes")
            continue
        pairs = (line.partition(b": ") for line in head.splitlines()[1:])
        headers = {
            name.lower(): value.decode("utf-8", "replace") for name, _, value in pairs
        }
        if headers.get(b"warc-type") == "conversion":
            said = headers.get(b"warc-identified-content-language")
            yield Document(
                content.rstrip(b"\n"),
                url=headers.get(b"warc-target-uri", ""),
                offset=offset,
                content_type=headers.get(b"content-type", ""),
                languages=tuple(said.split(",")) if said else (),
            )


def _records(file: IO[bytes], maximum_bytes: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield each record's offset and lines, of a long one not much beyond the cap."""
    file.seek(0)
    offset = place = size = 0
    lines: list[bytes] = []
    while line := file.readline(_LONGEST):
        if _BEGINS.fullmatch(line) and lines:
            yield offset, lines
            offset, size, lines = place, 0, []
        place += len(line)
        if size <= maximum_bytes + _LONGEST:
            size += len(line)
            lines.append(line)
    yield offset, lines
