"""A unit's files appear together or not at all: `.part`, fsync, rename, then a marker.

There is no other state: who finds the marker with the plan's key need do nothing, and
who does not may begin, whatever was killed before and whoever else is at it. The same
unit gives the same bytes, so that two who write it at once do no harm.
"""

import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

SECONDS_BETWEEN_TOLD = 0.5
_PART = ".part"
_TOLD = ".told"  # how far a unit is, for the progress bar; nobody's state


class Output:
    """Where a stage writes one unit's files; leaves nothing where it does not commit.

    with Output(folder, "filter", 3, key) as output:
        with output.open("documents.jsonl") as file: ...
        output.commit(counts)
    """

    def __init__(self, folder: Path, stage: str, unit: int, key: str) -> None:
        self.place = folder / stage
        self.unit, self.key = unit, key
        self._mine = f"{socket.gethostname()}-{os.getpid()}{_PART}"
        self._files: dict[str, BinaryIO] = {}
        self._told_at = time.monotonic()

    def __enter__(self) -> Self:
        self.place.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name, file in self._files.items():
            with suppress(OSError):  # a full disk, and this goes away anyway
                file.close()
            self._part(name).unlink(missing_ok=True)
        self._told().unlink(missing_ok=True)

    def open(self, name: str) -> BinaryIO:
        """Open a new file of this unit for bytes; `commit` gives it its name."""
        file = self._part(name).open("w+b", buffering=1 << 18)
        self._files[name] = file
        return file

    def tell(self, place: int, text_bytes: int, documents: int) -> None:
        """Say how far this is, for a progress bar; at most twice a second.

        Args:
            place: in the archive, in bytes as it lies on disk.
        """
        now = time.monotonic()
        if now - self._told_at > SECONDS_BETWEEN_TOLD:
            self._told_at = now
            self._told().write_text(
                f"{place} {text_bytes} {documents}", encoding="ascii"
            )

    def commit(self, counts: Mapping[str, Any]) -> dict[str, Any]:
        """Name all files, write the marker, and return what stands in it."""
        files: dict[str, Any] = {}
        for name, file in self._files.items():
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()  # pyright: ignore[reportArgumentType]
            files[name] = {"size": file.tell(), "sha256": digest}
            file.close()
            self._part(name).replace(unit_file(self.place, self.unit, name))
        self._files = {}
        marker = {"key": self.key, "files": files, "counts": dict(counts)}
        sync_folder(self.place)  # the names before the marker that vouches for them
        write_whole(unit_file(self.place, self.unit, "done.json"), to_json(marker))
        return marker

    def _part(self, name: str) -> Path:
        return unit_file(self.place, self.unit, f"{name}.{self._mine}")

    def _told(self) -> Path:
        return unit_file(self.place, self.unit, f"{self._mine}{_TOLD}")


def unit_file(place: Path, unit: int, name: str) -> Path:
    """Return the path of one of a unit's files: `<place>/00003.<name>`."""
    return place / f"{unit:05}.{name}"


def committed(folder: Path, stage: str, unit: int, key: str) -> dict[str, Any] | None:
    """Return the marker of a unit that is done, or None."""
    try:
        text = unit_file(folder / stage, unit, "done.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    marker = json.loads(text)
    return marker if marker["key"] == key else None


def told(folder: Path, stage: str) -> tuple[int, int, int]:
    """Return what `tell` was told last by all units that are under way, summed."""
    totals = [0, 0, 0]
    for file in (folder / stage).glob(f"*{_TOLD}"):
        try:
            numbers = [int(word) for word in file.read_text("ascii").split()]
        except (FileNotFoundError, ValueError):  # done just now, or half written
            continue
        if len(numbers) == len(totals):
            totals = [a + b for a, b in zip(totals, numbers, strict=True)]
    return totals[0], totals[1], totals[2]


def sweep(folder: Path) -> None:
    """Delete what killed processes left: `.part` and `.told` files."""
    for suffix in (_PART, _TOLD):
        for file in folder.rglob(f"*{suffix}"):
            file.unlink(missing_ok=True)


def write_whole(file: Path, text: str) -> None:
    """Write a text file at once: under another name, on disk, then renamed."""
    part = file.with_name(f"{file.name}.{socket.gethostname()}-{os.getpid()}{_PART}")
    try:
        with part.open("w", encoding="utf-8") as target:
            target.write(text)
            target.flush()
            os.fsync(target.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on disk, not only the content."""
    if os.name == "nt":
        return  # Windows cannot open a folder, and needs no such call
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def to_json(content: Any) -> str:
    """Return JSON; names stay in their order, which for rules means something."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSONL file that a stage wrote."""
    with file.open("rb") as source:
        for line in source:
            yield json.loads(line)
