"""What `data.crawl` or `data.source` names: the list of files, and the files."""

import getpass
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from nnlab import __version__
from nnlab.corpus.archives import (
    Archives,
    FetchedArchives,
    LocalArchives,
    files_here,
    files_of_crawl,
)
from nnlab.corpus.fetch import Fetcher, Manners
from nnlab.corpus.pages import PageFetcher, names_pages
from nnlab.corpus.plan import ArchiveFile, Plan
from nnlab.corpus.polite import RealClock, Turns
from nnlab.corpus.preparation import Fetching, Preparation
from nnlab.download import data_folder
from nnlab.errors import UserError

BEGINNING = 4 << 20  # bytes that a preview fetches
AHEAD = 4  # files on disk for each connection, where they do not stay


class Source:
    """Where the archives of a preparation come from.

    Raises:
        UserError: where neither or both of `crawl` and `source` are given.
    """

    def __init__(self, settings: Preparation, fetching: Fetching) -> None:
        self.settings, self.fetching = settings, fetching
        crawl, source = settings.crawl, settings.source
        if crawl is None and source is None:
            example = (
                "data.crawl=CC-MAIN-2023-06 data.files=2, or "
                if settings.reader == "wet"
                else ""
            )
            raise UserError(
                f"nothing says what to read; give {example}data.source=<files>"
            )
        if crawl is not None and source is not None:
            raise UserError(
                f"data.crawl={crawl} and data.source={source} say two things to read; "
                "keep one"
            )
        if crawl is not None and settings.reader != "wet":
            raise UserError(f"data.crawl={crawl} is for data=common_crawl")

    @cached_property
    def manners(self) -> Manners:
        contact = self.fetching.contact or f"{getpass.getuser()}@{socket.getfqdn()}"
        return Manners(
            stall_seconds=self.fetching.stall_seconds,
            attempts=self.fetching.attempts,
            agent=f"nnlab/{__version__} (contact: {contact})",
        )

    @cached_property
    def fetcher(self) -> Fetcher:
        folder = data_folder(self.settings.data_dir) / "common_crawl"
        return Fetcher(self.fetching.server, folder, self._turns(), self.manners)

    def pages(self, folder: Path) -> PageFetcher:
        """Return what fetches the pages of a list of URLs into a folder."""
        return PageFetcher(
            folder,
            self._turns,
            self.manners,
            connections=self.fetching.connections,
            maximum_bytes=self.settings.maximum_record_bytes,
        )

    def _turns(self) -> Turns:
        return Turns(RealClock(), seconds_between=self.fetching.seconds_between)

    def files(self) -> list[ArchiveFile]:
        """Return the files to read, in their order."""
        settings = self.settings
        if settings.crawl is not None:
            return files_of_crawl(self.fetcher, settings.crawl, settings.files)
        assert settings.source is not None
        return files_here(settings.source, settings.reader, settings.files)

    def archives(
        self, plan: Plan, units: list[int], told: Callable[[int], None]
    ) -> Archives:
        """Return what gives out the files of these units."""
        keeps, connections = self.settings.keeps_archives, self.fetching.connections
        if self.settings.crawl is None:
            if not any(names_pages(Path(plan.files[unit].name)) for unit in units):
                return LocalArchives(plan.files, units)
            pages = self.pages(data_folder(self.settings.data_dir) / "webtext")
            pages.told = told
            return FetchedArchives(
                pages, plan.files, units, connections=1, keeps=keeps, ahead=len(units)
            )
        self.fetcher.told = told
        return FetchedArchives(
            self.fetcher,
            plan.files,
            units,
            connections=connections,
            keeps=keeps,
            ahead=len(units) if keeps else AHEAD * connections,
        )

    @contextmanager
    def beginning(self, file: ArchiveFile, documents: int) -> Generator[Path]:
        """Give a file of this machine, or the first megabytes of a server's.

        Of a list of URLs only so many pages are fetched.
        """
        if self.settings.crawl is None:
            if not names_pages(Path(file.name)):
                yield Path(file.name)
                return
            with TemporaryDirectory() as place:
                yield self.pages(Path(place)).fetch(file.name, documents)
            return
        with self.fetcher.open(file.name) as answer, NamedTemporaryFile() as part:
            part.write(answer.read(BEGINNING))
            part.flush()
            yield Path(part.name)
