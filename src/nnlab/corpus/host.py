"""One host of the web, asked for its pages: what it allows, and what it refuses."""

from threading import Event
from typing import Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, quote
from urllib.robotparser import RobotFileParser

from typing_extensions import override

from nnlab.corpus.fetch import Fetcher, MissingFileError, UnavailableError
from nnlab.corpus.polite import LONGEST_WAIT
from nnlab.corpus.safe_http import is_here

AGENT = "nnlab"  # in robots.txt
_LATER = (408, 416, 425, 429)  # what `Fetcher` knows to ask again
_PLAIN = "/%:@!$&'()*+,;=~?"  # stays as it is in a path and a query


class HostFetcher(Fetcher):
    """Fetches pages of one host, none beyond `maximum_bytes`."""

    maximum_bytes = 0
    announces = False  # who has a list of many says it for all of them

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._came = 0  # of the page that is fetched now

    @property
    def stopped(self) -> Event:
        """What ends every fetch once it is set; several hosts may share it."""
        return self._stopped

    @stopped.setter
    def stopped(self, stopped: Event) -> None:
        self._stopped = stopped

    @override
    def _attempt(self, path: str, piece: Any) -> None:
        self._came = piece.size
        super()._attempt(path, piece)

    @override
    def _tell(self, size: int) -> None:
        super()._tell(size)
        self._came += size
        if self._came > self.maximum_bytes:
            raise MissingFileError(f"more than {self.maximum_bytes:,} bytes")

    @override
    def _judged(self, answer: HTTPError, path: str) -> str:
        if answer.code in (401, 403):
            answer.close()
            raise UnavailableError(f"{self.server} refuses with {answer.code}")
        if answer.code < 500 and answer.code not in _LATER:
            answer.close()
            raise MissingFileError(f"it answers {answer.code}")
        return super()._judged(answer, path)


def robots(host: HostFetcher) -> RobotFileParser:
    """Return what a host allows, and let `host` wait as long as it wants.

    Raises:
        UnavailableError: where it cannot be asked.
    """
    allowed = RobotFileParser()
    name = f"{quote(host.server, safe='')}.txt"
    try:
        text = host.fetch("robots.txt", name).read_text("utf-8", errors="replace")
    except MissingFileError:  # who has none allows all
        text = ""
    allowed.parse(text.splitlines())
    delay = float(allowed.crawl_delay(AGENT) or 0)
    turns = host.turns
    turns.seconds_between = max(turns.seconds_between, min(delay, LONGEST_WAIT))
    (host.folder / name).unlink(missing_ok=True)
    return allowed


def server_of(url: SplitResult) -> str:
    """Return whom to ask for a page: its host by https, unless it is this machine."""
    if is_here(url.geturl()) or url.scheme != "http":
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
    return f"https://{url.hostname}"


def address(url: SplitResult) -> str:
    """Return where a page is on its host, in ASCII."""
    path = quote(url.path.lstrip("/"), safe=_PLAIN)
    return f"{path}?{quote(url.query, safe=_PLAIN)}" if url.query else path
