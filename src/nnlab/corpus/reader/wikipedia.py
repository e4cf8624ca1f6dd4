"""Wikipedia's dumps: pages of an XML export, the markup taken off.

https://dumps.wikimedia.org: pages-articles.xml.bz2, whole or in its numbered parts (a
part is a unit of work of its own). Articles only: no redirects, talk or templates.
"""

import bz2
from collections.abc import Iterator
from gzip import GzipFile
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from nnlab.corpus.document import Damage, Document
from nnlab.corpus.reader.wikitext import plain_text
from nnlab.unreadable import why

ARTICLES = "0"  # the namespace
_CHUNK = 1 << 18  # bytes
_BROKEN = (OSError, EOFError, ParseError, ValueError)


def read(path: Path, *, maximum_bytes: int) -> Iterator[Document | Damage]:
    """Yield the articles of a dump; their offset is the page's number in it.

    Damage ends the file: XML that is broken cannot be taken up again.

    Args:
        maximum_bytes: of a page's markup; a longer one is left out and said.
    """
    site, number = "", 0
    with opened(path) as file:
        try:
            for element in _elements(file, maximum_bytes):
                if element.tag == "base":
                    site = (element.text or "").rpartition("/")[0]
                    continue
                number += 1
                yield from _page(element, site, number, maximum_bytes)
        except _BROKEN as error:
            place = f"after page {number:,}" if number else "before its first page"
            yield Damage(number, "damaged", f"{place}: {why(error)}")
            return
    if number == 0:
        yield Damage(0, "damaged", "no page: is it a dump of Wikipedia?")


def opened(path: Path) -> Any:
    """Open a file for reading, unpacked as its first bytes say."""
    with path.open("rb") as file:
        magic = file.read(3)
    if magic == b"BZh":
        return bz2.open(path)
    return GzipFile(path) if magic[:2] == b"\x1f\x8b" else path.open("rb")


def _elements(file: IO[bytes], maximum_bytes: int) -> Iterator[Element]:
    """Yield `base` and each `page`, one at a time in memory."""
    parser = XMLPullParser(["start", "end"])
    root: Element | None = None
    since = 0
    while chunk := file.read(_CHUNK):
        parser.feed(chunk)
        since += len(chunk)
        events: Any = parser.read_events()
        for event, element in events:
            root = element if root is None else root
            element.tag = element.tag.rpartition("}")[2]
            if event == "end" and element.tag in ("base", "page"):
                yield element
                assert root is not None
                root.clear()
                since = 0
        if since > 4 * maximum_bytes + _CHUNK:
            raise ValueError(f"a page of more than {maximum_bytes:,} bytes")
    parser.close()


def _page(
    page: Element, site: str, number: int, maximum_bytes: int
) -> Iterator[Document | Damage]:
    if page.findtext("ns") != ARTICLES or page.find("redirect") is not None:
        return
    title = page.findtext("title") or ""
    markup = page.findtext("revision/text") or ""
    size = len(markup.encode())
    if size > maximum_bytes:
        yield Damage(
            number, "oversized", f"{size:,} bytes, more than {maximum_bytes:,}"
        )
        return
    text = f"{title}\n\n{plain_text(markup)}"
    url = f"{site}/{quote(title.replace(' ', '_'))}"
    language = site.partition("//")[2].partition(".")[0]
    document = Document(text.encode(), url=url, offset=number)
    document.languages = (language,) if language else ()
    yield document
