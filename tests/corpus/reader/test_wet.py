import gzip
import random
import re
import tracemalloc
import zlib

import pytest

from nnlab.corpus.document import Damage, Document
from nnlab.corpus.reader.resynchronise import ends_whole
from nnlab.corpus.reader.wet import read

CAP = 1 << 20
BROKEN = 5  # the record that a fault is put into, of 0 … 9


@pytest.fixture
def records(wet):
    """Return ten records; each page starts with its number."""
    return [wet.record(wet.page(n), url=f"http://a.org/{n}") for n in range(10)]


@pytest.fixture
def found(tmp_path):
    """Read bytes as a file: the numbers of its pages, and the damage."""

    def find(content: bytes, cap: int = CAP):
        file = tmp_path / "a.warc.wet.gz"
        file.write_bytes(content)
        items = list(read(file, maximum_bytes=cap))
        pages = [
            int(i.text.split()[1].rstrip(".")) for i in items if isinstance(i, Document)
        ]
        return pages, [item for item in items if isinstance(item, Damage)]

    return find


@pytest.fixture
def place(wet, records):
    """Return the archive, and where the record that is to be broken begins and ends."""
    start, end = (len(wet.archive(*records[:n])) for n in (BROKEN, BROKEN + 1))
    return wet.archive(*records), start, end


def others():
    return [n for n in range(10) if n != BROKEN]


def test_documents_come_in_order_with_what_their_headers_say(wet, tmp_path):
    file = tmp_path / "a.warc.wet.gz"
    first = wet.record(
        "eins", url="http://www.A.org/x", WARC_Identified_Content_Language="deu,eng"
    )
    file.write_bytes(wet.archive(first, wet.record("zwei")))
    one, two = read(file, maximum_bytes=CAP)
    assert (one.text, one.url, one.languages) == (
        "eins",
        "http://www.A.org/x",
        ("deu", "eng"),
    )
    assert (one.host, one.content_type, one.offset) == (
        "a.org",
        "text/plain",
        len(wet.archive()),
    )
    assert (two.text, two.languages) == ("zwei", ())


def test_only_conversion_records_are_documents(wet, found):
    page = wet.page(1)
    assert found(wet.archive(wet.record("GET /", kind="request"), wet.record(page)))[
        0
    ] == [1]


def replaced(content: bytes, start: int, new: bytes) -> bytes:
    return content[:start] + new + content[start + len(new) :]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            lambda c, a, b: replaced(c, a + 60, random.Random(0).randbytes(40)),
            id="garbage",
        ),
        pytest.param(
            lambda c, a, b: replaced(c, b - 6, bytes([c[b - 6] ^ 1])), id="checksum"
        ),
        pytest.param(lambda c, a, b: replaced(c, a, b"xx"), id="magic"),
        pytest.param(lambda c, a, b: c[:a] + c[a + 50 :], id="hole"),
        pytest.param(lambda c, a, b: c[: b - 50] + c[b:], id="end missing"),
        pytest.param(lambda c, a, b: c[:a] + bytes(1000) + c[b:], id="zeros"),
    ],
)
def test_broken_bytes_cost_one_record_and_are_reported_where_they_are(
    place, found, fault
):
    content, start, end = place
    pages, [damage] = found(fault(content, start, end))
    assert pages == others()
    assert (damage.offset, damage.kind) == (start, "damaged")


@pytest.mark.parametrize("length", [10, 1200, 10**6 - 1, 10**12, -5, "many", None])
def test_a_length_that_lies_costs_one_record(wet, records, found, length):
    header = b"" if length is None else f"Content-Length: {length}\r\n".encode()
    records[BROKEN] = re.sub(rb"Content-Length: \d+\r\n", header, records[BROKEN])
    pages, [damage] = found(wet.archive(*records))
    assert pages == others()
    assert damage.offset == len(wet.archive(*records[:BROKEN]))


def test_a_file_that_is_cut_loses_only_its_last_record(wet, records, found):
    content = wet.archive(*records)
    last = len(wet.archive(*records[:-1]))
    for cut in (1, 5, 9, 30, 200, len(content) - last - 4):
        pages, [damage] = found(content[: last + cut])
        assert pages == list(range(9)), cut
        assert damage.offset == last, cut


def test_junk_between_records_costs_none(wet, records, found):
    content, at = wet.archive(*records), len(wet.archive(*records[:3]))
    pages, [damage] = found(content[:at] + b"\0" * 5_000_000 + content[at:])
    assert pages == list(range(10))
    assert damage.offset == at


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<Error><Code>SlowDown</Code></Error>", "invalid"),
        (gzip.compress(b"<Error><Code>SlowDown</Code></Error>", mtime=0), "invalid"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "invalid"),
        (b"\x1f\x8b\x08", "invalid"),
    ],
)
def test_what_is_no_archive_is_said_so(found, content, reason):
    pages, [damage] = found(content)
    assert pages == []
    assert damage.offset == 0
    assert re.search(reason, damage.reason)


def test_an_archive_without_conversion_records_is_said_so(wet, found):
    pages, [damage] = found(wet.archive(wet.record("HTTP/1.1 200 OK", kind="response")))
    assert (pages, damage.reason) == ([], "no conversion record: is it a WET file?")


def test_one_member_around_all_records_and_no_gzip_are_read_alike(wet, records, found):
    plain = b"".join([wet.record("Software-Info: none", kind="warcinfo"), *records])
    assert found(plain) == (list(range(10)), [])
    assert found(gzip.compress(plain)) == (list(range(10)), [])


def test_an_uncompressed_file_goes_on_behind_damage(wet, records, found):
    at = sum(map(len, records[:BROKEN]))
    pages, [damage] = found(replaced(b"".join(records), at, b"XXXX"))
    assert pages == others()
    assert damage.offset == at


def test_lengths_do_not_count_where_an_editor_changed_the_newlines(wet, records, found):
    assert found(b"".join(records).replace(b"\r\n", b"\n")) == (list(range(10)), [])


def test_a_record_beyond_the_cap_is_left_out_and_never_in_memory(wet, records, found):
    size = 300_000_000
    pack = zlib.compressobj(1, wbits=31)
    huge = pack.compress(wet.record("", Content_Length=str(size)))
    huge += b"".join(pack.compress(bytes(1_000_000)) for _ in range(300)) + pack.flush()
    start, end = (len(wet.archive(*records[:n])) for n in (BROKEN, BROKEN + 1))
    content = wet.archive(*records)
    tracemalloc.start()
    pages, [damage] = found(content[:start] + huge + content[end:])
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert pages == others()
    assert (damage.offset, damage.kind) == (start, "oversized")
    assert damage.reason == "300,000,000 bytes, more than 1,048,576"


def test_a_gzip_bomb_behind_a_record_is_not_inflated(wet, records, found):
    pack = zlib.compressobj(9, wbits=31)
    bomb = pack.compress(records[BROKEN])
    bomb += b"".join(pack.compress(bytes(1_000_000)) for _ in range(200)) + pack.flush()
    start, end = (len(wet.archive(*records[:n])) for n in (BROKEN, BROKEN + 1))
    content = wet.archive(*records)
    tracemalloc.start()
    pages, [damage] = found(content[:start] + bomb + content[end:])
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert pages == others()
    assert damage.offset == start


def test_a_header_without_end_is_damage(wet, records, found):
    records[BROKEN] = b"WARC/1.0\r\nX: " + b"A" * 5_000_000
    assert found(wet.archive(*records))[0] == others()


def test_bytes_that_are_not_utf8_are_replaced_and_counted(wet, tmp_path):
    file = tmp_path / "a.gz"
    file.write_bytes(wet.archive(wet.record(b"caf\xe9 \xff and \xef\xbf\xbd")))
    [document] = read(file, maximum_bytes=CAP)
    assert document.text == "caf\ufffd \ufffd and \ufffd"
    assert document.broken == 2


def test_random_damage_never_costs_more_than_the_records_it_touches(
    wet, records, found
):
    content = wet.archive(*records)
    ends = [len(wet.archive(*records[:n])) for n in range(11)]
    draw = random.Random(0)
    for _ in range(60):
        at = draw.randrange(ends[0], len(content) - 40)
        broken = replaced(content, at, draw.randbytes(draw.randrange(1, 40)))
        touched = {n for n in range(10) if ends[n] < at + 40 and at < ends[n + 1]}
        pages, damage = found(broken)
        assert set(range(10)) - touched <= set(pages), at
        assert damage or pages == list(range(10)), at  # a byte may be drawn as it was


def test_ends_whole_knows_a_cut_file_from_a_whole_one(tmp_path, wet, records):
    file, content = tmp_path / "a.gz", wet.archive(*records)
    one = gzip.compress(random.Random(0).randbytes(3_000_000))
    for sound in (content, one, gzip.compress(b"", mtime=0)):
        file.write_bytes(sound)
        assert ends_whole(file)
    for broken in (
        content[:-1],
        content[:-8],
        content + b"abc",
        one[:-3],
        b"<html>",
        b"",
    ):
        file.write_bytes(broken)
        assert not ends_whole(file)


@pytest.mark.real_data
def test_the_real_samples_are_read_as_their_readme_says(real_data):
    def counts(name):
        items = list(read(real_data / "wet" / name, maximum_bytes=1 << 24))
        documents = [item for item in items if isinstance(item, Document)]
        return len(documents), len(items) - len(documents)

    assert counts("docs-multilingual.warc.wet.gz") == (8_938, 0)
    assert counts("udhr2.warc.wet.gz") == (388, 0)
    assert counts("whirlwind.warc.wet.gz") == (1, 0)
    assert counts("cc_net-sample.warc.txt") == (3, 0)
    assert counts("resiliparse-clipped.warc.gz") == (0, 1)
    assert counts("warcio-example-trunc.warc") == (0, 1)
