import gzip
import random
import shutil
import socket
import threading
from email.utils import formatdate
from itertools import pairwise
from types import SimpleNamespace

import pytest

from nnlab.corpus.fetch import Fetcher, Manners, MissingFileError
from nnlab.corpus.polite import Turns, pause_after
from nnlab.errors import RunFailed, UserError

NAME = "crawl-data/a.warc.wet.gz"
CONTENT = b"".join(
    gzip.compress(random.Random(n).randbytes(3_000), mtime=0) for n in range(100)
)


@pytest.fixture
def fetcher(server, clock, tmp_path):
    server.files[f"/{NAME}"] = CONTENT
    manners = Manners(
        stall_seconds=0.2, attempts=5, agent="nnlab/0 (contact: me@a.org)"
    )
    turns = Turns(clock, seconds_between=1.0)
    return Fetcher(server.url, tmp_path / "data", turns, manners)


def moments(server):
    return [time for time, _, _ in server.requests]


def test_a_file_comes_whole_and_leaves_nothing_else(fetcher, server, tmp_path):
    path = fetcher.fetch(NAME)
    assert path.read_bytes() == CONTENT
    assert [p.name for p in (tmp_path / "data").rglob("*") if p.is_file()] == [
        path.name
    ]
    assert fetcher.fetch(NAME) == path
    assert len(server.requests) == 1


def test_it_says_who_asks_and_how_to_reach_them(fetcher, server):
    fetcher.fetch(NAME)
    assert server.requests[0][2]["User-Agent"] == "nnlab/0 (contact: me@a.org)"


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 503},
        {"status": 429, "headers": {"Retry-After": "7"}},
        {"status": 500},
        {"cut": 0},
        {"cut": 100_000},
        {"cut": 50_000, "stall": True},
    ],
    ids=str,
)
def test_what_goes_away_by_itself_is_tried_again(fetcher, server, trouble):
    server.will(**trouble)
    assert fetcher.fetch(NAME).read_bytes() == CONTENT


def test_a_cut_body_is_continued_where_it_broke(fetcher, server):
    server.will(cut=100_000)
    server.will(cut=50_000)
    assert fetcher.fetch(NAME).read_bytes() == CONTENT
    ranges = [headers.get("Range") for _, _, headers in server.requests]
    assert ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert server.requests[1][2]["If-Range"] == server.tag


def test_a_fetch_that_was_killed_is_continued_by_the_next(fetcher, server):
    for _ in range(5):
        server.will(cut=0)
    server.answers[0].cut = 1_000
    with pytest.raises(RunFailed):
        fetcher.fetch(NAME)
    assert fetcher.fetch(NAME).read_bytes() == CONTENT
    assert server.requests[-1][2]["Range"] == "bytes=1000-"


def test_a_file_that_changed_in_between_is_taken_from_its_beginning(fetcher, server):
    server.will(cut=1_000)
    server.will(status=503)
    server.tag = '"one"'
    first = server.answer

    def answer(request, how):
        if len(server.requests) == 3:
            server.tag, server.files[f"/{NAME}"] = '"two"', CONTENT * 2
        first(request, how)

    server.answer = answer
    assert fetcher.fetch(NAME).read_bytes() == CONTENT * 2


def test_a_wrong_range_is_not_glued_on(fetcher, server):
    server.will(cut=1_000)
    server.will(shift=10)
    assert fetcher.fetch(NAME).read_bytes() == CONTENT


def test_a_range_that_is_ignored_starts_over(fetcher, server):
    server.will(cut=1_000)
    server.will(ignores_range=True)
    assert fetcher.fetch(NAME).read_bytes() == CONTENT


def test_a_piece_longer_than_the_file_starts_over(fetcher, server, tmp_path):
    server.will(cut=1_000)
    server.will(status=503)
    part = tmp_path / "data" / f"{NAME}.part"
    first = server.answer

    def answer(request, how):
        if len(server.requests) == 2:
            part.write_bytes(CONTENT + b"more")
        first(request, how)

    server.answer = answer
    assert fetcher.fetch(NAME).read_bytes() == CONTENT


def test_a_page_instead_of_an_archive_is_not_taken_for_one(fetcher, server):
    server.files[f"/{NAME}"] = b"<Error><Code>SlowDown</Code></Error>"
    with pytest.raises(RunFailed, match="no whole gzip file"):
        fetcher.fetch(NAME)


def test_403_stops_at_once_and_says_why(fetcher, server):
    server.will(status=403)
    with pytest.raises(RunFailed, match=r"403.*ask no more for a day"):
        fetcher.fetch(NAME)
    assert len(server.requests) == 1


def test_404_is_told_apart(fetcher):
    with pytest.raises(MissingFileError):
        fetcher.fetch("crawl-data/none.gz")


def test_a_server_that_stays_broken_is_given_up_in_a_sentence(fetcher, server):
    for _ in range(9):
        server.will(status=503)
    with pytest.raises(RunFailed, match=r"after 5 attempts \(it answers 503\)"):
        fetcher.fetch(NAME)
    assert len(server.requests) == 5


def test_no_network_is_one_sentence(clock, tmp_path):
    manners = Manners(stall_seconds=0.2, attempts=3, agent="nnlab")
    turns = Turns(clock, seconds_between=1.0)
    fetcher = Fetcher("http://127.0.0.1:9", tmp_path, turns, manners)
    with pytest.raises(RunFailed, match="connection refused"):
        fetcher.fetch(NAME)


def test_requests_are_a_second_apart_over_all_connections(fetcher, server):
    names = [f"crawl-data/{n}.gz" for n in range(4)]  # fewer than attempts
    for name in names:
        server.files[f"/{name}"] = CONTENT
        server.will(status=503)
    threads = [threading.Thread(target=fetcher.fetch, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = sorted(moments(server))
    assert len(times) == 8
    assert all(time >= 1_000_000 + n for n, time in enumerate(times))


def test_turns_are_never_closer_than_said(clock):
    turns = Turns(clock, seconds_between=1.0)
    given = []
    for n in range(20):
        turns.wait()
        given.append(clock.now())
        if n == 10:
            turns.hold(30)
    gaps = [after - before for before, after in pairwise(given)]
    assert min(gaps) >= 1
    assert gaps[10] >= 30


def test_waits_grow_and_never_undercut_the_server():
    assert [pause_after(n, None, 0) for n in (1, 2, 3, 9)] == [1, 2, 4, 60]
    assert pause_after(1, "120", 0) == 120
    assert pause_after(3, "1", 0) == 4
    assert pause_after(1, formatdate(1_000_090, usegmt=True), 1_000_000) == 90
    assert pause_after(1, "soon", 0) == 1


def test_retry_after_is_waited_for(fetcher, server):
    server.will(status=503, headers={"Retry-After": "120"})
    fetcher.fetch(NAME)
    first, second = moments(server)
    assert second - first >= 120


def test_an_endless_retry_after_is_said(fetcher, server):
    server.will(status=503, headers={"Retry-After": "86400"})
    with pytest.raises(RunFailed, match=r"asks to wait 24\.0 hours"):
        fetcher.fetch(NAME)


def test_a_disk_too_small_is_said_before_anything_is_written(
    fetcher, tmp_path, monkeypatch
):
    usage = SimpleNamespace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    with pytest.raises(RunFailed, match=r"has 0\.00 GB free"):
        fetcher.fetch(NAME)
    assert not (tmp_path / "data" / f"{NAME}.part").exists()


def test_only_https_or_this_machine(clock, tmp_path):
    manners = Manners(stall_seconds=1, attempts=1, agent="nnlab")
    for server in ("http://data.commoncrawl.org", "ftp://localhost", "file:///etc"):
        with pytest.raises(UserError, match="is not https"):
            Fetcher(server, tmp_path, Turns(clock, seconds_between=1), manners)


def test_after_stop_nothing_is_asked(fetcher, server):
    fetcher.stop()
    with pytest.raises(RunFailed, match="stopped"):
        fetcher.fetch(NAME)
    assert not server.requests


def unreachable(clock, tmp_path, attempts=8):
    """Return what fetches from a port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    manners = Manners(stall_seconds=1, attempts=attempts, agent="nnlab")
    turns = Turns(clock, seconds_between=1.0)
    return Fetcher(f"http://127.0.0.1:{port}", tmp_path, turns, manners)


def test_a_server_that_never_answers_is_given_up_after_seconds(clock, tmp_path):
    before = clock.now()
    with pytest.raises(RunFailed, match=r"after 3 attempts \(connection refused\)"):
        unreachable(clock, tmp_path).fetch(NAME)
    assert clock.now() - before < 10


def test_the_sentence_asks_for_the_network_where_nothing_answered(
    fetcher, server, clock, tmp_path
):
    with pytest.raises(RunFailed, match=r"after 1 attempt .*there is a network"):
        unreachable(clock, tmp_path, attempts=1).fetch(NAME)
    for _ in range(5):
        server.will(status=503)
    with pytest.raises(RunFailed) as busy:
        fetcher.fetch(NAME)
    assert "network" not in str(busy.value)


def test_a_server_that_has_answered_once_gets_every_attempt(fetcher, server):
    for _ in range(4):
        server.will(status=503)
    assert fetcher.fetch(NAME).read_bytes() == CONTENT


def test_it_says_at_once_and_once_whom_it_asks(fetcher, server, capsys):
    server.files["/b.gz"] = CONTENT
    fetcher.fetch(NAME)
    fetcher.fetch("b.gz")
    assert capsys.readouterr().err == f"nnlab: asking {server.url} for {NAME}\n"
