"""WET archives made by hand, and a server here that misbehaves on request."""

import gzip
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

WORDS = (  # noqa: SIM905
    "the be to of and that have with crawl reads a page keeps what people wrote on it "
    "river mountain morning letter window garden music paper winter story friend road "
    "bridge village market doctor teacher farmer small green quiet early often never"
).split()


def record(
    text: str | bytes,
    *,
    url: str = "http://a.org/",
    kind: str = "conversion",
    **more: str,
) -> bytes:
    """Return one WARC record; `more` are headers, Content_Length may lie."""
    content = text.encode() if isinstance(text, str) else text
    headers = {
        "WARC-Type": kind,
        "WARC-Target-URI": url,
        "WARC-Date": "2024-05-18T01:58:10Z",
        "WARC-Record-ID": "<urn:uuid:ba729a40-ff84-4085-8d48-0a5b2ee0c42d>",
        "Content-Type": "text/plain",
        "Content-Length": str(len(content)),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"WARC/1.0\r\n{lines}\r\n".encode() + content + b"\r\n\r\n"


def page(number: int, words: int = 80) -> str:
    """Return a text that no other number gives, as every rule wants it."""
    draw = random.Random(number)
    chosen = ["the", "of", *(draw.choice(WORDS) for _ in range(words - 2))]
    sentences = (" ".join(chosen[at : at + 8]) for at in range(0, words, 8))
    return f"Page {number}. " + " ".join(f"{each}." for each in sentences)


def archive(*records: bytes) -> bytes:
    """Return a WET file: a warcinfo record and these, a gzip member each."""
    info = record(
        "Software-Info: none", kind="warcinfo", Content_Type="application/warc-fields"
    )
    return b"".join(gzip.compress(each, 6, mtime=0) for each in (info, *records))


@pytest.fixture
def wet() -> SimpleNamespace:
    """Give the functions that make archives by hand."""
    return SimpleNamespace(record=record, page=page, archive=archive)


@pytest.fixture
def wets(tmp_path: Path) -> Callable[[int, int], Path]:
    """Make a folder of so many archives of so many pages each."""

    def make(files: int, pages: int) -> Path:
        folder = tmp_path / "wets"
        folder.mkdir(exist_ok=True)
        for file in range(files):
            numbers = range(file * pages, (file + 1) * pages)
            records = [record(page(n), url=f"http://h{n % 9}.org/{n}") for n in numbers]
            (folder / f"{file}.warc.wet.gz").write_bytes(archive(*records))
        return folder

    return make


class FakeClock:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.time = 1_000_000.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.time += seconds


@dataclass
class Answer:
    """What the server does to one request."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None  # close the connection after so many bytes of the body
    shift: int = 0  # send another range than the one asked for
    stall: bool = False
    ignores_range: bool = False


class Server:
    """Serves `files`; the next request gets the next of `answers`, then all is well."""

    def __init__(self, clock: FakeClock) -> None:
        self.files: dict[str, bytes] = {}
        self.answers: list[Answer] = []
        self.requests: list[tuple[float, str, dict[str, str]]] = []
        self.tag = '"one"'
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append((clock.now(), self.path, dict(self.headers)))
                outer.answer(self, outer.answers.pop(0) if outer.answers else Answer())

            def log_message(self, *arguments: object) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self._thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self.http.shutdown()
        self._thread.join()
        self.http.server_close()

    def will(self, **how: Any) -> None:
        """Answer one more request in this way; see `Answer`."""
        self.answers.append(Answer(**how))

    def answer(self, request: BaseHTTPRequestHandler, answer: Answer) -> None:
        body = self.files.get(request.path)
        if answer.status != 200 or body is None:
            request.send_response(answer.status if answer.status != 200 else 404)
            for name, value in answer.headers.items():
                request.send_header(name, value)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        start, total = 0, len(body)
        asked = request.headers.get("Range")
        if asked and not answer.ignores_range:
            is_same = request.headers.get("If-Range") == self.tag
            start = int(asked.removeprefix("bytes=").rstrip("-")) if is_same else 0
        if start >= total and start:
            request.send_response(416)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        start += answer.shift
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        request.send_header("ETag", self.tag)
        request.send_header("Content-Length", str(total - start))
        request.end_headers()
        end = total if answer.cut is None else start + answer.cut
        request.wfile.write(body[start:end])
        request.wfile.flush()
        if answer.stall:
            self.released.wait(5)
        if answer.cut is not None:
            request.close_connection = True


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> Iterator[Server]:
    served = Server(clock)
    yield served
    served.close()
