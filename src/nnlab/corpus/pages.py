"""A list of URLs becomes the pages they name: each asked for once, host by host.

A host is asked by one connection, at most once in `seconds_between` or as seldom as its
robots.txt wants (RFC 9309), and no more once it refuses. What came stays on disk until
the list is through, so that a killed preparation asks for no page twice.
"""

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from nnlab.corpus.commit import sync_folder
from nnlab.corpus.fetch import Manners, MissingFileError, UnavailableError
from nnlab.corpus.host import AGENT, HostFetcher, address, robots, server_of
from nnlab.corpus.polite import Turns
from nnlab.corpus.reader.wikipedia import opened
from nnlab.corpus.safe_http import UnsafeError
from nnlab.errors import RunFailed
from nnlab.notice import announce
from nnlab.numerals import counted

LISTS = (".jsonl", ".jsonl.gz", ".ndjson", ".json.gz")
ATTEMPTS = 3  # at most, of a page: there are others


class PageFetcher:
    """Turns a list of URLs into a file of lines of JSON with a page in each.

    Args:
        folder: for the pages.
        turns: makes what gives out the moments for one host's requests.
        connections: hosts that are asked at a time.
        maximum_bytes: of a page.
    """

    def __init__(
        self,
        folder: Path,
        turns: Callable[[], Turns],
        manners: Manners,
        *,
        connections: int,
        maximum_bytes: int,
    ) -> None:
        self.folder, self.turns = folder, turns
        self.manners = replace(manners, attempts=min(ATTEMPTS, manners.attempts))
        self.connections, self.maximum_bytes = connections, maximum_bytes
        self.told: Callable[[int], None] = lambda size: None
        self._stopped = Event()

    def stop(self) -> None:
        """Let every fetch end at once."""
        self._stopped.set()

    def fetch(self, name: str, most: int | None = None) -> Path:
        """Return the file with the pages of a list; any other file as it is.

        Args:
            most: lines, from the first one; None: all.

        Raises:
            RunFailed: where it was stopped, there is no room, or no page came at all.
        """
        if not names_pages(Path(name)):
            return Path(name)
        lines = list(_lines(Path(name)))[:most]
        digest = hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:16]
        target, place = self.folder / f"{digest}.jsonl", self.folder / digest
        if not target.is_file():
            place.mkdir(parents=True, exist_ok=True)
            missing = self._fetch_all(lines, place)
            if all(path.suffix for path in place.iterdir()):  # `.part`: try again later
                shutil.rmtree(place)
                why = next(iter(missing.values()))
                raise RunFailed(f"{name}: no page of this list came ({why})")
            _write(target, lines, place, missing)
            shutil.rmtree(place)
        return target

    def _fetch_all(self, lines: Sequence[Any], place: Path) -> dict[str, str]:
        """Fetch the pages of all hosts; return why some are missing, by their URL."""
        hosts: dict[str, list[str]] = defaultdict(list)
        for url in dict.fromkeys(line["url"] for line in lines if _is_url(line)):
            hosts[server_of(urlsplit(url))].append(url)
        missing: dict[str, str] = {}
        pages = counted(sum(map(len, hosts.values())), "page")
        announce(f"asking {counted(len(hosts), 'host')} for {pages}")
        pairs = list(hosts), list(hosts.values())
        with ThreadPoolExecutor(self.connections) as pool:
            try:
                for each in pool.map(partial(self._fetch_host, place), *pairs):
                    missing |= each
            except RunFailed:
                self.stop()
                raise
        return missing

    def _fetch_host(self, place: Path, server: str, urls: list[str]) -> dict[str, str]:
        missing: dict[str, str] = {}
        left = urls[::-1]
        try:
            host = HostFetcher(server, place, self.turns(), self.manners, self.told)
            host.maximum_bytes, host.stopped = self.maximum_bytes, self._stopped
            allowed = robots(host)
            while left:
                url = left[-1]
                if not allowed.can_fetch(AGENT, url):
                    missing[url] = "its robots.txt forbids it"
                else:
                    try:
                        host.fetch(address(urlsplit(url)), _name(url))
                    except (MissingFileError, UnsafeError) as error:
                        missing[url] = str(error)
                left.pop()
        except (UnavailableError, UnsafeError) as error:  # the host is asked no more
            missing |= dict.fromkeys(left, str(error).partition(";")[0])
        return missing


def names_pages(path: Path) -> bool:
    """Return whether a file is a list of URLs: its first line has one, and no text."""
    if not path.name.endswith(LISTS):
        return False
    try:
        return _is_url(next(_lines(path), None))
    except (OSError, EOFError):  # the reader says what is wrong with it
        return False


def _lines(path: Path) -> Iterator[Any]:
    """Yield what each line holds; one that is no JSON as a string."""
    with opened(path) as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                yield line.decode(errors="replace").strip()


def _is_url(line: Any) -> bool:
    if not isinstance(line, dict) or not isinstance(line.get("url"), str):
        return False
    try:
        urlsplit(line["url"])
    except ValueError:  # a bracket that never closes
        return False
    return not any(isinstance(line.get(name), str) for name in ("text", "html"))


def _name(url: str) -> str:
    return hashlib.sha256(url.encode(errors="replace")).hexdigest()


def _write(
    target: Path, lines: Sequence[Any], place: Path, missing: dict[str, str]
) -> None:
    """Write the list with its pages, whole or not at all."""
    part = target.with_suffix(".part")
    with part.open("w", encoding="utf-8", errors="replace") as file:
        for line in lines:
            whole = {**line, **_page(line, place, missing)} if _is_url(line) else line
            file.write(whole if isinstance(whole, str) else json.dumps(whole))
            file.write("\n")
    part.replace(target)
    sync_folder(target.parent)


def _page(line: Any, place: Path, missing: dict[str, str]) -> dict[str, str]:
    """Return `html` or `text` of a URL, or `missing`, which says why it has none."""
    from nnlab.corpus.reader.page_text import decoded, kind_of

    if line["url"] in missing:
        return {"missing": missing[line["url"]]}
    content = (place / _name(line["url"])).read_bytes()
    if not content.strip():
        return {"missing": "it is empty"}
    kind = kind_of(content)
    if kind not in ("html", "text"):
        return {"missing": f"it is {kind}"}
    return {kind: decoded(content)}
