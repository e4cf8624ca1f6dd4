"""`preview=3`: the first documents of the first file, as the reader finds them."""

import sys

from nnlab.corpus.document import Damage, Document
from nnlab.corpus.preparation import Preparation
from nnlab.corpus.reader import reader
from nnlab.corpus.source import Source
from nnlab.errors import RunFailed
from nnlab.numerals import counted

CHARACTERS = 500  # shown of a document
RULE = "-" * 79


def show_preview(settings: Preparation, source: Source, documents: int) -> int:
    """Print the first documents of the first file; nothing is written to disk.

    Raises:
        RunFailed: where the file holds no document at all.
    """
    first = source.files()[0]
    shown = 0
    with source.beginning(first, documents) as path:
        read = reader(settings.reader)
        items = read(path, maximum_bytes=settings.maximum_record_bytes)
        for item in items:
            if isinstance(item, Damage):
                sys.stderr.write(f"{first.name}: offset {item.offset}: {item.reason}\n")
                continue
            sys.stdout.write(described(item))
            shown += 1
            if shown == documents:
                break
    if not shown:
        raise RunFailed(f"{first.name} holds no document that could be read")
    return 0


def described(document: Document) -> str:
    """Return what there is to know of a document, and how its text begins."""
    languages = ", ".join(document.languages) or "not said"
    text = document.text
    lines = [
        RULE,
        f"url        {document.url}",
        f"offset     {document.offset:,}",
        f"languages  {languages}",
        f"type       {document.content_type}",
        f"length     {counted(len(text), 'character')}",
        "",
        text[:CHARACTERS].strip() + (" …" if len(text) > CHARACTERS else ""),
        "",
    ]
    return "\n".join(lines) + "\n"
