"""Where the files of a plan come from: this machine, or a server, a few at a time."""

import re
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from glob import glob, has_magic
from pathlib import Path
from typing import Protocol

from nnlab.corpus.fetch import Fetcher, MissingFileError
from nnlab.corpus.plan import ArchiveFile
from nnlab.errors import RunFailed, UserError

_CRAWL = re.compile(r"CC-MAIN-\d{4}-\d{2}(-\d{2})?")
SUFFIXES = {
    "wet": (".gz", ".warc", ".wet", ".warc.txt", ".bad"),
    "wikipedia": (".xml", ".bz2", ".xml.gz"),
    "webtext": (".jsonl", ".jsonl.gz", ".txt", ".html", ".htm", ".md"),
}


class Archives(Protocol):
    """Gives out the files that are to be read, as they come to lie on this machine."""

    def ready(self) -> Iterator[tuple[int, Path | None]]:
        """Yield units that can be read now; None: the server has no such file."""
        ...

    def release(self, unit: int) -> None:
        """Take note that a unit is done."""
        ...

    def close(self) -> None: ...


class LocalArchives:
    """Files that are here already."""

    def __init__(self, files: Sequence[ArchiveFile], units: Sequence[int]) -> None:
        self._waiting = [(unit, Path(files[unit].name)) for unit in units]

    def ready(self) -> Iterator[tuple[int, Path | None]]:
        yield from self._waiting
        self._waiting = []

    def release(self, unit: int) -> None: ...

    def close(self) -> None: ...


class Fetches(Protocol):
    """Fetches files into its folder."""

    folder: Path

    def fetch(self, path: str, /) -> Path: ...

    def stop(self) -> None: ...


class FetchedArchives:
    """Files of a server, fetched in order by a few connections.

    Args:
        keeps: whether files stay once they are read. Where not, only `ahead` of them
            lie on the disk at a time.
    """

    def __init__(
        self,
        fetcher: Fetches,
        files: Sequence[ArchiveFile],
        units: Sequence[int],
        *,
        connections: int,
        keeps: bool,
        ahead: int,
    ) -> None:
        self.fetcher, self.files = fetcher, files
        self.keeps, self.ahead = keeps, ahead
        self._pool = ThreadPoolExecutor(connections)
        self._waiting = list(reversed(units))
        self._coming: dict[int, Future[Path]] = {}
        self._here: dict[int, Path | None] = {}

    def ready(self) -> Iterator[tuple[int, Path | None]]:
        while self._waiting and len(self._coming) + len(self._here) < self.ahead:
            unit = self._waiting.pop()
            name = self.files[unit].name
            self._coming[unit] = self._pool.submit(self.fetcher.fetch, name)
        for unit in [unit for unit, each in self._coming.items() if each.done()]:
            try:
                path = self._coming.pop(unit).result()
            except MissingFileError:
                path = None
            self._here[unit] = path
            yield unit, path

    def release(self, unit: int) -> None:
        path = self._here.pop(unit, None)
        is_fetched = path is not None and path.is_relative_to(self.fetcher.folder)
        if path is not None and is_fetched and not self.keeps:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        self.fetcher.stop()
        self._pool.shutdown(cancel_futures=True)


def files_of_crawl(fetcher: Fetcher, crawl: str, most: int | None) -> list[ArchiveFile]:
    """Return a crawl's WET files, in the order of its own list.

    Raises:
        UserError: where there is no such crawl.
    """
    if not _CRAWL.fullmatch(crawl):
        raise UserError(
            f"data.crawl={crawl} is no crawl's name; they are written CC-MAIN-2023-06 "
            "(https://commoncrawl.org/overview lists them)"
        )
    try:
        path = fetcher.fetch(f"crawl-data/{crawl}/wet.paths.gz")
    except MissingFileError as cause:
        raise UserError(
            f"data.crawl={crawl} is not on {fetcher.server}; "
            "https://commoncrawl.org/overview lists the crawls"
        ) from cause
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        names = unzip.decompress(path.read_bytes(), 1 << 28).decode().split()
    except (zlib.error, UnicodeDecodeError) as cause:
        path.unlink()
        raise RunFailed(f"the list of {crawl} is damaged; try again") from cause
    if bad := [name for name in names if ".." in name or name.startswith("/")]:
        raise RunFailed(f"the list of {crawl} names {bad[0]!r}, which is no path in it")
    return [ArchiveFile(name, None) for name in names[:most]]


def files_here(source: str, reader: str, most: int | None) -> list[ArchiveFile]:
    """Return the files that `data.source` names, in the order of their paths.

    Raises:
        UserError: where there is none.
    """
    place = Path(source).expanduser()
    if place.is_dir():
        suffixes = SUFFIXES[reader]
        found = [path for path in place.rglob("*") if path.name.endswith(suffixes)]
    elif place.is_file() or not has_magic(source):
        found = [place]
    else:
        found = [Path(n) for n in glob(str(place), recursive=True)]  # noqa: PTH207
    files = sorted(path.absolute() for path in found if path.is_file())
    if not files:
        raise UserError(
            f"data.source={source} names no file; give a file, a folder or a pattern "
            f"(looked for {place.absolute()})"
        )
    return [ArchiveFile(str(path), path.stat().st_size) for path in files[:most]]
