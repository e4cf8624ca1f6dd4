"""Texts that lie here: pages and plain files, or lines of JSON with a text in each.

`.jsonl` (also `.gz`): objects with `text` (or `html`), and `url` where it is known; of
`url` alone the page is fetched before (`nnlab.corpus.pages`). Any other file is one
document; `.html` and `.htm` have their markup taken off.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from nnlab.corpus.document import Damage, Document
from nnlab.corpus.reader.page_text import decoded, page_text
from nnlab.corpus.reader.wikipedia import opened
from nnlab.unreadable import why

PAGES = (".html", ".htm")
LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".json.gz")


def read(path: Path, *, maximum_bytes: int) -> Iterator[Document | Damage]:
    """Yield what a file holds.

    Args:
        maximum_bytes: of a line or a file; a longer one is left out and said.
    """
    if path.name.endswith(LINES):
        yield from _lines(path, maximum_bytes)
        return
    size = path.stat().st_size
    if size > maximum_bytes:
        said = f"{size:,} bytes, more than {maximum_bytes:,}"
        yield Damage(0, "oversized", said)
        return
    content = path.read_bytes()
    if not content.strip():
        yield Damage(0, "damaged", "the file is empty")
    elif path.suffix.lower() in PAGES:
        text = page_text(decoded(content))
        yield Document(text.encode(), url=path.as_uri(), content_type="text/html")
    else:
        yield Document(content, url=path.as_uri())


def _lines(path: Path, maximum_bytes: int) -> Iterator[Document | Damage]:
    """Yield a document a line; the offset is that of the line, unpacked."""
    offset = found = 0
    with opened(path) as file:
        try:
            while line := _line(file, maximum_bytes):
                if len(line) > maximum_bytes:
                    said = f"more than {maximum_bytes:,} bytes"
                    yield Damage(offset, "oversized", said)
                    offset += len(line) + _skipped(file)
                elif line.strip():
                    yield _document(line, offset)
                    offset += len(line)
                else:
                    offset += len(line)
                found += 1
        except (OSError, EOFError) as error:
            yield Damage(offset, "damaged", why(error))
    if not found:
        yield Damage(0, "damaged", "the file is empty")


def _line(file: IO[bytes], maximum_bytes: int) -> bytes:
    return file.readline(maximum_bytes + 1)


def _skipped(file: IO[bytes]) -> int:
    """Read on to the end of a line that is too long; return the bytes."""
    size = 0
    while piece := file.readline(1 << 16):
        size += len(piece)
        if piece.endswith(b"\n"):
            break
    return size


def _document(line: bytes, offset: int) -> Document | Damage:
    try:
        content: Any = json.loads(line)
    except ValueError as error:
        return Damage(offset, "damaged", f"the line cannot be read: {why(error)}")
    if not isinstance(content, dict):
        return Damage(offset, "damaged", "no JSON object")
    text, page, url = (content.get(name) for name in ("text", "html", "url"))
    if not isinstance(text, str) and isinstance(page, str):
        text = page_text(page)
    if not isinstance(text, str):
        if isinstance(said := content.get("missing"), str):
            return Damage(offset, "missing", f"{url}: {said}")
        return Damage(offset, "damaged", "no text in it")
    # half a character, which JSON can write and UTF-8 cannot, is replaced
    document = Document(text.encode(errors="replace"), offset=offset)
    document.url = url if isinstance(url, str) else ""
    return document
