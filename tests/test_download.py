import gzip
import hashlib
import io
import urllib.error
import urllib.request

import pytest

from nnlab.download import _HttpsOnly, cache_folder, data_folder, download, obtain
from nnlab.errors import UserError

CONTENT = b"sixteen bytes..." * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
URL = "https://example.org/set/file.gz"


@pytest.fixture
def web(monkeypatch):
    """A web of pages by URL: bytes, or the exception that opening one raises."""
    pages = {}

    class Opener:
        def open(self, url, timeout):
            assert timeout > 0
            page = pages.get(url, urllib.error.URLError("no route to host"))
            if isinstance(page, Exception):
                raise page
            return io.BytesIO(page)

    monkeypatch.setattr(urllib.request, "build_opener", lambda *_: Opener())
    return pages


def fetch(folder, urls=(URL,), **keywords):
    target = folder / "sets" / "file"
    download(urls, target, **{"sha256": SHA256, "size": len(CONTENT), **keywords})
    return target


def fails(folder, *args, **keywords):
    """Return the one sentence of the failure, which leaves nothing behind."""
    with pytest.raises(UserError) as error:
        fetch(folder, *args, **keywords)
    assert list(folder.glob("sets/*")) == []
    sentence = str(error.value)
    assert "\n" not in sentence
    assert str(folder / "sets") in sentence
    return sentence


def test_writes_the_content_unpacked_and_nothing_else(web, tmp_path):
    web[URL] = gzip.compress(CONTENT)
    target = fetch(tmp_path)
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_without_a_network_the_sentence_names_url_and_folder(web, tmp_path):
    sentence = fails(tmp_path)
    assert URL in sentence
    assert "no route to host" in sentence
    assert "NNLAB_DATA" in sentence
    assert not (tmp_path / "sets").exists()


def test_the_next_mirror_serves_where_one_fails(web, tmp_path):
    mirror = "https://mirror.example.org/file.gz"
    web[mirror] = gzip.compress(CONTENT)
    assert fetch(tmp_path, (URL, mirror)).read_bytes() == CONTENT
    web[URL] = b"<html>not found</html>"
    assert fetch(tmp_path, (URL, mirror)).read_bytes() == CONTENT


def test_other_content_is_refused(web, tmp_path):
    web[URL] = gzip.compress(CONTENT[::-1])
    assert "SHA-256" in fails(tmp_path)


def test_a_transfer_cut_short_is_refused(web, tmp_path):
    web[URL] = gzip.compress(CONTENT)[:-20]
    assert "ends" in fails(tmp_path)


def test_what_is_no_gzip_is_refused(web, tmp_path):
    web[URL] = CONTENT
    assert "no whole gzip file" in fails(tmp_path)


def test_a_small_file_that_unpacks_to_a_large_one_is_refused_unread(web, tmp_path):
    web[URL] = gzip.compress(bytes(200_000_000))
    assert len(web[URL]) < 250_000
    assert "larger than 16000 bytes" in fails(tmp_path)


def test_a_file_without_end_is_refused(web, tmp_path, monkeypatch):
    class Endless(io.BytesIO):
        def read(self, size=-1):
            return bytes(size)

    class Opener:
        def open(self, url, timeout):
            stream = Endless()
            # a first stored block of nothing, over and over
            start = gzip.compress(b"")[:10]
            stream.read = lambda size, parts=[start]: (
                parts.pop() if parts else b"\x00\x00\x00\xff\xff" * (size // 5)
            )
            return stream

    monkeypatch.setattr(urllib.request, "build_opener", lambda *_: Opener())
    assert "larger than" in fails(tmp_path)


@pytest.mark.parametrize("scheme", ["http", "ftp", "file"])
def test_only_https_is_asked(web, tmp_path, scheme):
    web[f"{scheme}://example.org/file.gz"] = gzip.compress(CONTENT)
    assert "is not https" in fails(tmp_path, (f"{scheme}://example.org/file.gz",))


def test_a_redirection_away_from_https_is_refused():
    request = urllib.request.Request(URL)
    follow = _HttpsOnly().redirect_request
    args = (request, io.BytesIO(), 302, "Found", {})
    assert follow(*args, "https://example.com/").full_url == "https://example.com/"
    with pytest.raises(OSError, match="is not https"):
        follow(*args, "http://example.com/")


def test_a_folder_that_cannot_be_made_is_one_sentence(web, tmp_path):
    web[URL] = gzip.compress(CONTENT)
    (tmp_path / "sets").write_text("a file, where a folder is needed")
    with pytest.raises(UserError, match="could not be downloaded"):
        fetch(tmp_path)


def test_data_lie_where_named_else_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NNLAB_DATA", str(tmp_path / "named"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_folder("relative") == tmp_path / "relative"
    assert data_folder(None) == tmp_path / "named"
    monkeypatch.setenv("NNLAB_DATA", "")
    assert data_folder(None) == tmp_path / "cache" / "nnlab"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder(None) == tmp_path / ".cache" / "nnlab"
    assert data_folder("~/sets") == tmp_path / "sets"


def obtained(folder, **keywords):
    path = folder / "sets" / "file"
    wanted = {"sha256": SHA256, "size": len(CONTENT), **keywords}
    return obtain((URL,), path, **wanted)


def test_a_plain_file_is_fetched_once_and_kept_as_it_is(web, tmp_path):
    web[URL] = CONTENT
    assert obtained(tmp_path) == CONTENT
    assert (tmp_path / "sets/file").read_bytes() == CONTENT
    del web[URL]
    assert obtained(tmp_path) == CONTENT


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (CONTENT[:-1], "smaller than"),
        (CONTENT + b"x", "larger than"),
        (CONTENT[::-1], "SHA-256"),
    ],
)
def test_a_plain_file_that_is_another_is_refused(web, tmp_path, content, cause):
    web[URL] = content
    with pytest.raises(UserError, match=cause):
        obtained(tmp_path)
    assert list(tmp_path.glob("sets/*")) == []


def test_a_file_that_was_changed_later_is_noticed_at_its_next_use(web, tmp_path):
    web[URL] = CONTENT
    obtained(tmp_path)
    (tmp_path / "sets/file").write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(UserError, match=r"is not the published file.*delete it"):
        obtained(tmp_path)


def test_what_can_be_made_again_never_lies_among_the_data(monkeypatch, tmp_path):
    monkeypatch.setenv("NNLAB_DATA", str(tmp_path / "read_only"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache" / "nnlab"
