"""One polite fetcher: files of a server, whole or not at all, resumed where they broke.

Common Crawl asks for few connections and at most one retry a second, answers 503 to
anyone when it is busy, and 403 to whom it has blocked (https://status.commoncrawl.org).
"""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO, Any

from nnlab.connection import opener, why_no_answer
from nnlab.corpus.piece import BrokenAnswerError, Piece, byte_range
from nnlab.corpus.polite import LONGEST_WAIT, Turns, pause_after
from nnlab.corpus.room import refuse_hopeless, require_room
from nnlab.corpus.safe_http import SafeRedirects, refuse_unsafe
from nnlab.errors import RunFailed
from nnlab.notice import announce
from nnlab.numerals import counted

FIRST_ATTEMPTS = 3  # to reach a server that has not answered once
_BUSY = (408, 425, 429, 500, 502, 503, 504)


class MissingFileError(Exception):
    """The server has no such file."""


class UnavailableError(RunFailed):
    """The server does not answer, or not so that a file came."""


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How the fetcher behaves.

    Args:
        stall_seconds: without a byte, after which a connection is given up.
        attempts: in a row without progress, after which a file is given up.
        agent: the User-Agent, which says who asks and how to reach them.
    """

    stall_seconds: float
    attempts: int
    agent: str


class Fetcher:
    """Fetches files of one server into a folder, under their own paths.

    Args:
        server: https://…; http only where it is this very machine.
        told: called with the bytes of each piece that came.
    """

    announces = True

    def __init__(
        self,
        server: str,
        folder: Path,
        turns: Turns,
        manners: Manners,
        told: Callable[[int], None] = lambda size: None,
    ) -> None:
        refuse_unsafe(server)
        self.server, self.folder = server.rstrip("/"), folder
        self.turns, self.manners, self.told = turns, manners, told
        self._stopped = Event()
        self._opener = opener(SafeRedirects)
        self._has_answered = False  # at all: who never has may not be there

    def stop(self) -> None:
        """Let every fetch end at once; its piece stays, to be continued."""
        self._stopped.set()

    def fetch(self, path: str, name: str | None = None) -> Path:
        """Return the file, fetched where it is not here yet.

        Args:
            name: under which it lies here; None: its path.

        Raises:
            MissingFileError: the server has none of that name.
            RunFailed: it cannot be had; the sentence says why, and what to do.
        """
        target = self.folder / (name or path)
        if target.is_file():
            return target
        piece = Piece(target)
        failures, cause = 0, ""
        self._announce(path)
        while failures < self._patience:
            before, retry_after = piece.size, None
            self.turns.wait(self._check_stopped)
            try:
                self._attempt(path, piece)
            except urllib.error.HTTPError as answer:
                self._has_answered = True
                cause = self._judged(answer, path)
                retry_after = answer.headers.get("Retry-After")
                if answer.code == 416:  # the piece is longer than the file
                    piece.drop()
            except (OSError, http.client.HTTPException) as error:
                refuse_hopeless(error, self.folder)
                cause = why_no_answer(error)
            else:
                return piece.finish()
            failures = 1 if piece.size > before else failures + 1
            self._hold(failures, retry_after, path)
        attempts = counted(failures, "attempt")
        there = "" if self._has_answered else "see that there is a network: "
        raise UnavailableError(
            f"{self.server}/{path} cannot be had after {attempts} ({cause}); {there}"
            "the same command goes on where this ended"
        )

    def open(self, path: str) -> IO[bytes]:
        """Return the beginning of a file as a stream, for a preview."""
        self._announce(path)
        self.turns.wait()
        try:
            return self._open(self._request(path))
        except urllib.error.HTTPError as answer:
            cause = self._judged(answer, path)
        except (OSError, http.client.HTTPException) as error:
            cause = why_no_answer(error)
        raise RunFailed(f"{self.server}/{path} cannot be had ({cause})")

    def _attempt(self, path: str, piece: Piece) -> None:
        """Ask for what is missing of a file, and take what comes."""
        had = piece.prepare()
        request = self._request(path)
        if had:
            request.add_header("Range", f"bytes={had}-")
            request.add_header("If-Range", piece.version)
        with self._open(request) as answer:
            self._has_answered = True
            start, total = byte_range(answer)
            if start != had:
                piece.drop()
                if start:
                    raise BrokenAnswerError(f"it sent bytes from {start}, not {had}")
            require_room(self.folder, (total or 0) - start)
            piece.take(answer, start, total, self._tell)

    @property
    def _patience(self) -> int:
        most = self.manners.attempts
        return most if self._has_answered else min(most, FIRST_ATTEMPTS)

    def _announce(self, path: str) -> None:
        """Say once whom this waits for."""
        if self.announces:
            self.announces = False
            announce(f"asking {self.server} for {path}")

    def _tell(self, size: int) -> None:
        self._check_stopped()
        self.told(size)

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise RunFailed("fetching was stopped; the same command goes on")

    def _open(self, request: urllib.request.Request) -> Any:
        return self._opener.open(request, timeout=self.manners.stall_seconds)

    def _request(self, path: str) -> urllib.request.Request:
        headers = {"User-Agent": self.manners.agent, "Accept-Encoding": "identity"}
        return urllib.request.Request(f"{self.server}/{path}", headers=headers)

    def _judged(self, answer: urllib.error.HTTPError, path: str) -> str:
        """Return why to try again; raise where that would be of no use."""
        answer.close()
        if answer.code == 403:
            raise RunFailed(
                f"{self.server} answers 403 to {path}: it refuses this address, as "
                "Common Crawl does after too many requests; ask no more for a day, "
                "then give the same command"
            )
        if answer.code in (404, 410):
            raise MissingFileError(path)
        if answer.code not in (*_BUSY, 416):
            raise RunFailed(f"{self.server}/{path} answers {answer.code}")
        return f"it answers {answer.code}"

    def _hold(self, failures: int, retry_after: str | None, path: str) -> None:
        pause = pause_after(failures, retry_after, self.turns.clock.now())
        if pause > LONGEST_WAIT:
            raise UnavailableError(
                f"{self.server}/{path} asks to wait {pause / 3600:.1f} hours; the same "
                "command goes on where this ended"
            )
        self.turns.hold(pause)
