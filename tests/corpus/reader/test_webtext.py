import gzip
import json

import pytest

from nnlab.corpus.document import Damage
from nnlab.corpus.reader.page_text import page_text
from nnlab.corpus.reader.webtext import read

CAP = 1_000


def lines(*objects: object) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


@pytest.fixture
def found(tmp_path):
    def find(name: str, content: bytes):
        (tmp_path / name).write_bytes(content)
        return list(read(tmp_path / name, maximum_bytes=CAP))

    return find


def test_a_line_is_a_document_at_its_offset(found):
    content = lines({"text": "one", "url": "http://a.org"}, {"text": "zwei ü"})
    for name, packed in (("a.jsonl", content), ("a.jsonl.gz", gzip.compress(content))):
        one, two = found(name, packed)
        assert (one.text, one.url, one.offset) == ("one", "http://a.org", 0)
        assert (two.text, two.url, two.offset) == (
            "zwei ü",
            "",
            content.index(b"\n") + 1,
        )


def test_a_bad_line_is_reported_and_the_others_are_kept(found):
    content = lines({"text": "a"}) + b"{oops\n" + lines([1], {"no": 1}, {"text": "b"})
    items = found("a.jsonl", content)
    assert [isinstance(item, Damage) for item in items] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert [item.offset for item in items][1] == content.index(b"{oops")


def test_a_line_beyond_the_cap_is_left_out(found):
    before, long = lines({"text": "a"}), lines({"text": "x" * 200_000})
    a, damage, b = found("a.jsonl", before + long + lines({"text": "b"}))
    assert (a.text, damage.kind, damage.offset, b.text) == (
        "a",
        "oversized",
        len(before),
        "b",
    )
    assert b.offset == len(before) + len(long)


def test_a_packed_file_that_is_cut_keeps_what_came_before(found):
    packed = gzip.compress(lines(*({"text": f"{n}" * 50} for n in range(1_000))))
    items = found("a.jsonl.gz", packed[:-20])
    assert len(items) > 100
    assert isinstance(items[-1], Damage)


def test_half_a_character_does_no_harm(found):
    [document] = found("a.jsonl", b'{"text": "a \\ud800 b"}\n')
    assert document.text == "a ? b"


def test_a_plain_file_is_one_document(found, tmp_path):
    [document] = found("a.txt", "grüß".encode())
    assert (document.text, document.url) == ("grüß", (tmp_path / "a.txt").as_uri())


def test_an_empty_file_is_said_so(found):
    for name in ("a.txt", "a.jsonl", "a.html"):
        [damage] = found(name, b"")
        assert damage.reason == "the file is empty"


def test_a_page_is_read_without_its_furniture(found):
    page = b"""<!doctype html><html><head><title>no</title><style>p {}</style>
    </head><body><nav><a href=x>menu</a></nav><h1>A  title</h1>
    <p>One <b>bold</b> &amp; <br>two</p>
    <script>if (a < b) {}</script><p>three</p><pre>four</pre>
    <footer>legal</footer></body>"""
    [document] = found("a.html", page)
    assert document.text == "A title\nOne bold &\ntwo\nthree\nfour"


def test_a_page_without_main_content_is_read_whole(found):
    [document] = found("a.html", b"<html><body><ul><li>one<li>two</ul></body></html>")
    assert document.text == "one\ntwo"


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16"])
def test_a_page_is_read_in_the_encoding_that_it_is_in(found, encoding):
    page = f'<html><meta charset="{encoding}"><body><p>Über die Straße geht er.</p>'
    [document] = found("a.html", page.encode(encoding))
    assert document.text == "Über die Straße geht er."


def test_tags_that_are_never_closed_lose_nothing_behind_them():
    assert page_text("<p>a<nav>menu<p>more</nav><p>b</p></div></p>c") == "a\nb\nc"
