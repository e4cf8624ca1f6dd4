from urllib.parse import urlsplit

import pytest

from nnlab.corpus.host import address, server_of


@pytest.mark.parametrize(
    ("url", "server", "path"),
    [
        ("https://a.org/b/c.html?d=e#f", "https://a.org", "b/c.html?d=e"),
        ("http://a.org:80/b", "https://a.org", "b"),
        ("https://user:word@a.org:8443/", "https://a.org:8443", ""),
        ("http://127.0.0.1:99/ä b?q=ü", "http://127.0.0.1:99", "%C3%A4%20b?q=%C3%BC"),
        ("https://a.org/%C3%A4?x=%20", "https://a.org", "%C3%A4?x=%20"),
    ],
)
def test_a_url_becomes_a_server_and_an_address_in_ascii(url, server, path):
    parts = urlsplit(url)
    assert (server_of(parts), address(parts)) == (server, path)
