"""Readers: from a file to its documents, in order, whatever is broken in between."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol

from nnlab.corpus.document import Damage, Document


class Reader(Protocol):
    """Yields what a file holds, in its order; memory is bounded by the record cap."""

    def __call__(
        self, path: Path, *, maximum_bytes: int
    ) -> Iterator[Document | Damage]: ...


# Imported when they are used: each has a library of its own.
READERS = {
    "wet": "nnlab.corpus.reader.wet",
    "wikipedia": "nnlab.corpus.reader.wikipedia",
    "webtext": "nnlab.corpus.reader.webtext",
}


def reader(name: str) -> Reader:
    """Return the reader of that name."""
    return import_module(READERS[name]).read
