import json
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from urllib.request import Request

import pytest

from nnlab.corpus.document import Damage
from nnlab.corpus.fetch import Manners
from nnlab.corpus.pages import PageFetcher, names_pages
from nnlab.corpus.polite import Turns
from nnlab.corpus.reader.webtext import read
from nnlab.corpus.safe_http import SafeRedirects, UnsafeError
from nnlab.errors import RunFailed

CAP = 100_000
PAGE = "<!doctype html><html><body><p>{} keeps what people wrote.</p></body></html>"


@pytest.fixture
def fetched(server, clock, tmp_path):
    """Fetch the pages of these paths of the server; return what the reader finds."""

    def fetch(*paths: str, more: tuple[object, ...] = (), most: int | None = None):
        rows = [{"url": f"{server.url}{path}"} for path in paths]
        lines = [json.dumps(each) for each in (*rows, *more)]
        source = tmp_path / "urls.jsonl"
        source.write_text("\n".join(lines))
        fetch.pages = PageFetcher(
            tmp_path / "data",
            lambda: Turns(clock, seconds_between=1.0),
            Manners(stall_seconds=0.2, attempts=8, agent="test"),
            connections=2,
            maximum_bytes=CAP,
        )
        fetch.pages.told = fetch.told
        return list(read(fetch.pages.fetch(str(source), most), maximum_bytes=CAP))

    fetch.told = lambda size: None
    return fetch


def reasons(items) -> list[str]:
    damage = [item for item in items if isinstance(item, Damage)]
    return [each.reason.partition(": ")[2] for each in damage]


def test_a_list_of_urls_becomes_the_text_of_their_pages(server, fetched):
    server.files["/a"] = PAGE.format("One").encode()
    server.files["/b?c=%C3%A4"] = b"Plain text of a page.\n"
    one, two = fetched("/a", "/b?c=ä")
    assert (one.text, one.url) == ("One keeps what people wrote.", f"{server.url}/a")
    assert two.text == "Plain text of a page.\n"


def test_a_host_is_asked_at_most_once_a_second_for_its_robots_txt_first(
    server, fetched
):
    server.files |= {f"/{n}": PAGE.format(n).encode() for n in range(6)}
    fetched(*(f"/{n}" for n in range(6)))
    times = [time for time, _, _ in server.requests]
    assert [path for _, path, _ in server.requests][:2] == ["/robots.txt", "/0"]
    assert min(b - a for a, b in pairwise(times)) >= 1


def test_what_robots_txt_forbids_is_not_asked_for_and_its_delay_is_kept(
    server, fetched
):
    rules = b"User-agent: *\nCrawl-delay: 7\nDisallow: /private\n"
    server.files |= {"/robots.txt": rules, "/a": b"text", "/private/b": b"secret"}
    items = fetched("/a", "/private/b", "/a?2")
    assert reasons(items)[0] == "its robots.txt forbids it"
    times, paths, _ = zip(*server.requests, strict=True)
    assert paths == ("/robots.txt", "/a", "/a?2")
    assert times[2] - times[1] >= 7


def test_each_host_is_asked_by_its_own_rules(server, fetched):
    rules = b"User-agent: *\nDisallow: /\n"
    other = server.url.replace("127.0.0.1", "localhost")
    server.files |= {"/robots.txt": rules, "/a": b"text"}
    hosts: list[str] = []
    more = ({"url": f"{other}/a"}, {"url": f"{other}/b#part"})
    original = BaseHTTPRequestHandler.parse_request

    def parsed(self):
        is_parsed = original(self)
        hosts.append(self.headers["Host"].partition(":")[0])
        if self.path == "/robots.txt" and hosts[-1] == "localhost":
            self.path = "/none"
        return is_parsed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseHTTPRequestHandler, "parse_request", parsed)
        server.files["/b"] = b"more"
        items = fetched("/a", more=more)
    assert reasons(items) == ["its robots.txt forbids it"]
    assert [item.text for item in items[1:]] == ["text", "more"]
    assert sorted(hosts) == ["127.0.0.1", *["localhost"] * 3]


def test_what_cannot_be_had_is_said_and_the_others_are_kept(server, fetched):
    pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(100)
    files = {"/a": b"text", "/pdf": pdf, "/long": b"a" * (CAP + 1), "/no": b" \n"}
    server.files |= files
    items = fetched("/gone", "/pdf", "/long", "/no", "/a")
    assert reasons(items) == [
        "it answers 404",
        "it is application/pdf",
        f"more than {CAP:,} bytes",
        "it is empty",
    ]
    assert items[-1].text == "text"
    assert {item.kind for item in items[:-1]} == {"missing"}


def test_a_busy_host_is_waited_for_and_a_cut_page_asked_for_again(server, fetched):
    server.files["/a"] = PAGE.format("One").encode()
    server.will(status=404)
    server.will(status=503, headers={"Retry-After": "30"})
    server.will(cut=20)
    server.will(cut=5, stall=True)
    [document] = fetched("/a")
    assert document.text == "One keeps what people wrote."
    assert server.requests[2][0] - server.requests[1][0] >= 30


def test_a_host_that_refuses_is_asked_no_more(server, fetched):
    server.files |= {"/a": b"text", "/b": b"text", "/c": b"text"}
    server.will(status=404)
    server.will()
    server.will(status=403)
    items = fetched("/a", "/b", "/c")
    assert items[0].text == "text"
    assert reasons(items) == [f"{server.url} refuses with 403"] * 2
    assert len(server.requests) == 3


def test_where_no_page_came_at_all_nothing_is_kept(server, fetched, tmp_path):
    with pytest.raises(RunFailed, match=r"no page of this list came \(it answers 404"):
        fetched("/a")
    assert not list((tmp_path / "data").iterdir())
    server.files["/a"] = b"text"
    assert [item.text for item in fetched("/a")] == ["text"]


def test_a_url_that_is_not_of_the_web_is_said_so(server, fetched):
    server.files["/b"] = b"text"
    said = reasons(fetched("/a", "/b", more=({"url": "ftp://a.org/x"},)))
    assert said[1] == "ftp://a.org is not https"


def test_no_page_leads_to_this_machine():
    asked = Request("https://a.org/x")
    with pytest.raises(UnsafeError, match="leads to this machine"):
        SafeRedirects().redirect_request(asked, None, 302, "", {}, "http://127.0.0.1/")


def test_a_preparation_that_was_killed_asks_for_no_page_twice(
    server, fetched, tmp_path
):
    server.files |= {"/a": b"one", "/b": b"two"}
    server.will(status=404)
    server.will()
    server.answers += [type(server.answers[0])(status=500)] * 3  # /b, three times
    fetched("/a", "/b")
    assert len(server.requests) == 5
    [done] = (tmp_path / "data").glob("*.jsonl")
    again = done.read_bytes()
    fetched("/a", "/b")
    assert len(server.requests) == 5
    assert done.read_bytes() == again
    assert [path.name for path in (tmp_path / "data").iterdir()] == [done.name]


def test_what_came_before_a_stop_is_not_asked_for_again(server, fetched):
    server.files |= {"/a": b"one", "/b": b"two"}

    def stop(size):
        if len(server.requests) == 2:  # robots.txt, and the first page
            fetched.pages.stop()

    fetched.told = stop
    with pytest.raises(RunFailed, match="was stopped"):
        fetched("/a", "/b")
    fetched.told = lambda size: None
    assert [item.text for item in fetched("/a", "/b")] == ["one", "two"]
    paths = [path for _, path, _ in server.requests]
    assert paths.count("/a") == 1


def test_lines_that_have_their_text_are_fetched_by_nobody(server, fetched, tmp_path):
    server.files["/a"] = b"text"
    rows = ({"url": "http://b.org", "text": "mine"}, [1])
    a, b, damage = fetched("/a", more=rows)
    assert (a.text, b.text, damage.kind) == ("text", "mine", "damaged")
    (tmp_path / "texts.jsonl").write_text('{"url": "http://b.org", "text": "mine"}\n')
    assert not names_pages(tmp_path / "texts.jsonl")
    assert not names_pages(Path("a.txt"))


def test_prepare_takes_a_list_of_urls(nnlab, server, clock, tmp_path, monkeypatch, wet):
    monkeypatch.setattr("nnlab.corpus.source.RealClock", lambda: clock)
    pages = {
        f"/{n}": f"<html><body><p>{wet.page(n)}</p></body></html>" for n in range(9)
    }
    server.files |= {path: page.encode() for path, page in pages.items()}
    lines = [json.dumps({"url": f"{server.url}{path}"}) for path in (*pages, "/gone")]
    (tmp_path / "urls.jsonl").write_text("\n".join(lines))
    words = ("prepare", "data=webtext", "data.source=urls.jsonl", "tokenizer=byte")
    words += ("executor=serial", "data.folder=out", "data.data_dir=data")
    words += ("data.language=null", "data.fetch.contact=me@a.org")
    shown = nnlab(*words, "preview=2")
    assert (shown.status, shown.out.count("Page ")) == (0, 2)
    answer = nnlab(*words)
    assert answer.status == 3, answer.err  # something could not be read
    counts = json.loads((tmp_path / "out/manifest.json").read_text())["counts"]
    assert (counts["documents"], counts["kept"], counts["missing"]) == (9, 9, 1)
    assert "/gone: it answers 404" in answer.out.replace("\n", " ")
    assert "contact: me@a.org" in server.requests[0][2]["User-Agent"]
    asked = len(server.requests)
    assert nnlab(*words).status == 3
    assert len(server.requests) == asked
