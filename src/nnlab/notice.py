"""A line on stderr that is no error: what is waited for, or what is assumed."""

import sys

from nnlab.place import is_first


def announce(line: str) -> None:
    """Say it; of several processes one does."""
    if is_first():
        sys.stderr.write(f"nnlab: {line}\n")
        sys.stderr.flush()
