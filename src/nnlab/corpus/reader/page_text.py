"""HTML -> text: what a person would read of a page, without its furniture.

Resiliparse's main content: of the extractors that Li et al. (2024), "DataComp-LM",
https://arxiv.org/abs/2406.11794, compared, as good as trafilatura and eight times as
fast, and both better to train on than Common Crawl's own text.
"""

import re
from functools import partial

from resiliparse.extract.html2text import (  # pyright: ignore[reportMissingModuleSource]
    extract_plain_text,
)
from resiliparse.parse.encoding import (  # pyright: ignore[reportMissingModuleSource]
    bytes_to_str,
    detect_encoding,
    detect_mime,
)

HTML = ("text/html", "application/xhtml+xml")
TEXT = ("text/plain", "text/markdown")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n\s*")


def page_text(page: str) -> str:
    """Return a page's main content, or all its text where none stands out."""
    extracted = partial(extract_plain_text, page, list_bullets=False, alt_texts=False)
    text = extracted(main_content=True) or extracted()
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def decoded(content: bytes) -> str:
    """Return a page's characters, by what it says of its encoding, or by their look."""
    encoding = detect_encoding(content, from_html_meta=True) or "utf-8"
    return bytes_to_str(content, encoding)


def kind_of(content: bytes) -> str:
    """Return `html`, `text`, or a type that holds neither: application/pdf."""
    mime = detect_mime(content)
    return "html" if mime in HTML else "text" if mime in TEXT else mime
