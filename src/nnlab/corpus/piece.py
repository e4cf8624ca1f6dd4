"""What is here of a file that is being fetched, and of which version of it."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nnlab.corpus.reader.resynchronise import ends_whole

_CHUNK = 1 << 18  # bytes


class BrokenAnswerError(OSError):
    """What came cannot be used; the file is asked for again."""


class Piece:
    """The beginning of a file, `<name>.part`, with a note that names its version."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self.note = target.with_name(f"{target.name}.part.json")

    @property
    def size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def version(self) -> str:
        """What names the version of the file that this is a piece of, or ''."""
        try:
            return json.loads(self.note.read_text(encoding="utf-8"))["version"]
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def drop(self) -> None:
        """Forget what is here."""
        self.path.unlink(missing_ok=True)

    def prepare(self) -> int:
        """Return from where on the file is missing.

        What no note vouches for is dropped: it may be of another version.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.version:
            self.drop()
        return self.size

    def take(
        self, answer: Any, start: int, total: int | None, told: Callable[[int], None]
    ) -> None:
        """Write what an answer brings from `start` on, and check the whole.

        Raises:
            BrokenAnswerError: where it is not all, or no whole gzip file.
        """
        self._write_note(answer)
        with self.path.open("r+b" if start else "wb") as file:
            file.seek(start)
            while piece := answer.read1(_CHUNK):
                told(len(piece))
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if total is not None and self.size != total:
            if self.size > total:
                self.drop()
            raise BrokenAnswerError(f"{self.size:,} of {total:,} bytes came")
        if self.target.suffix == ".gz" and not ends_whole(self.path):
            self.drop()
            raise BrokenAnswerError("what came is no whole gzip file")

    def finish(self) -> Path:
        """Give the whole file its name."""
        self.path.replace(self.target)
        self.note.unlink(missing_ok=True)
        return self.target

    def _write_note(self, answer: Any) -> None:
        tag = answer.headers.get("ETag") or ""
        if tag[:2] in ("", "W/"):  # a weak tag does not vouch for the same bytes
            tag = answer.headers.get("Last-Modified", "")
        self.note.write_text(json.dumps({"version": tag}), encoding="utf-8")


def byte_range(answer: Any) -> tuple[int, int | None]:
    """Return where what comes begins, and the size of the whole file if it is said."""
    length = answer.headers.get("Content-Length")
    if answer.status != 206:
        return 0, int(length) if length and length.isdigit() else None
    said = re.fullmatch(
        r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", "")
    )
    if said is None:
        raise BrokenAnswerError("it sent a range without saying which")
    return int(said[1]), None if said[3] == "*" else int(said[3])
