"""HTML -> text: what a person would read of a page, a line a block."""

import re
from html.parser import HTMLParser

from typing_extensions import override

SILENT = {
    *("script", "style", "noscript", "template", "svg", "math", "iframe", "head"),
    *("nav", "header", "footer", "aside", "form", "button", "select"),
}
INLINE = {
    *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font"),
    *("i", "kbd", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup"),
    *("time", "tt", "u", "var", "wbr"),
}
EMPTY = {
    "br",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "wbr",
    "area",
    "base",
    "col",
    "source",
}
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[\s]*")


def page_text(page: str) -> str:
    """Return the text of a page without navigation, scripts and forms."""
    parser = _Text()
    parser.feed(page)
    parser.close()
    text = _SPACES.sub(" ", "".join(parser.parts))
    return _LINES.sub("\n", text).strip()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT and tag not in EMPTY:
            self._silent.append(tag)
        elif tag not in INLINE and not self._silent:
            self.parts.append("\n")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:  # what was never closed inside it ends with it
            del self._silent[self._silent.index(tag) :]
        elif tag not in INLINE and not self._silent:
            self.parts.append("\n")

    @override
    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(re.sub(r"\s+", " ", data))
