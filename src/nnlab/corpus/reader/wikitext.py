"""Wikitext -> plain text: what a reader of the page would read, without its furniture.

The grammar of wikitext is what MediaWiki does; this takes the common forms off by hand,
templates and tables with all that is in them (https://www.mediawiki.org/wiki/Wikitext).
"""

import html
import re

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_DROPPED = re.compile(
    r"<(ref|gallery|math|timeline|score|syntaxhighlight|source|imagemap|templatestyles)"
    r"\b[^<>]*?(?:/>|>.*?</\1\s*>)",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_LINK = re.compile(r"\[\[([^\[\]|]*)(?:\|([^\[\]]*))?\]\]")
_OUTSIDE = re.compile(r"\[(?:https?:|ftp:)?//[^\s\]]+ ?([^\]]*)\]")
_QUOTES = re.compile(r"'{2,5}")
_HEADING = re.compile(r"^=+\s*(.*?)\s*=+\s*$", re.MULTILINE)
_ITEM = re.compile(r"^[*#:;]+\s*", re.MULTILINE)
_MAGIC = re.compile(r"__[A-Z]+__")
_BLANK = re.compile(r"\n{3,}")
_NAMESPACE = re.compile(
    r"^:?[^\W\d_]{2,20}:\S"
)  # File:, Category:, and their translations
_PAIRS = {"{{": "}}", "{|": "|}"}
_MARKS = re.compile(r"\{\{|\}\}|\{\||\|\}(?!\})")


def plain_text(markup: str) -> str:
    """Return the text of a page's markup; nothing is expanded."""
    text = _COMMENT.sub("", markup)
    text = _DROPPED.sub("", text)
    text = without_nested(text)
    text = _links(text)
    text = _OUTSIDE.sub(r"\1", text)
    text = _TAG.sub("", text)
    text = _QUOTES.sub("", text)
    text = _HEADING.sub(r"\1", text)
    text = _ITEM.sub("", text)
    text = _MAGIC.sub("", html.unescape(text))
    return _BLANK.sub("\n\n", text).strip()


def without_nested(text: str) -> str:
    """Return the text without templates and tables, however deep they are nested.

    What is opened and never closed goes to the end of its paragraph only.
    """
    kept: list[str] = []
    depth: list[tuple[str, int]] = []  # what closes it, where it began
    place = 0
    for mark in _MARKS.finditer(text):
        if mark[0] in _PAIRS:
            if not depth:
                kept.append(text[place : mark.start()])
            depth.append((_PAIRS[mark[0]], mark.start()))
        elif depth and depth[-1][0] == mark[0]:
            depth.pop()
            place = mark.end() if not depth else place
    if depth:
        start = depth[0][1]
        end = text.find("\n\n", start)
        return "".join(kept) + (without_nested(text[end:]) if end >= 0 else "")
    return "".join([*kept, text[place:]])


def _links(text: str) -> str:
    """Replace links by what they show; pictures and categories by nothing."""
    before = None
    while before != text:  # a picture's caption may hold links: the inner ones first
        before = text
        text = _LINK.sub(_shown, text)
    return text


def _shown(link: re.Match[str]) -> str:
    target, shown = link[1], link[2]
    if _NAMESPACE.match(target):
        return ""
    return (shown if shown is not None else target).rpartition("|")[2]
