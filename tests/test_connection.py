"""Who is not there is given up soon; who has answered may take its time."""

import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request

import pytest

from nnlab import connection
from nnlab.connection import CONNECT_SECONDS, opener, why_no_answer


@pytest.fixture
def asked(monkeypatch):
    """The time-outs with which a connection is asked for; none comes about."""
    seconds: list[float] = []

    def never(address, timeout, *arguments, **keywords):
        seconds.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", never)
    return seconds


@pytest.mark.parametrize("url", ["http://localhost/a", "https://localhost/a"])
@pytest.mark.parametrize(("patience", "soon"), [(60, CONNECT_SECONDS), (2, 2)])
def test_a_connection_that_nobody_takes_is_given_up_soon(asked, url, patience, soon):
    with pytest.raises(urllib.error.URLError) as refused:
        opener(urllib.request.HTTPRedirectHandler).open(url, timeout=patience)
    assert asked == [soon]
    said = str(refused.value.reason)
    assert said == f"no connection came about in {soon:g} seconds"


def test_what_comes_may_take_longer_than_the_connection(monkeypatch):
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            client.recv(1000)
            threading.Event().wait(0.3)
            client.sendall(b"HTTP/1.0 200 OK\r\n\r\nlate")
            client.close()

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with opener(urllib.request.HTTPRedirectHandler).open(url, timeout=20) as page:
            assert page.read() == b"late"
        thread.join()


def distrusted() -> ssl.SSLError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] (_ssl.c)")
    error.verify_message = "self-signed certificate."
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            urllib.error.URLError(OSError(101, "Network is unreachable")),
            "network is unreachable",
        ),
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (TimeoutError("timed out"), "it stalled"),
        (
            urllib.error.URLError(distrusted()),
            "its certificate is not accepted: self-signed certificate",
        ),
        (
            ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] (_ssl.c:1006)"),
            "it does not speak https as it should",
        ),
        (http.client.IncompleteRead(b"abc", 7), "what it sent broke off"),
        (
            urllib.error.HTTPError("https://a", 404, "Not Found", None, None),
            "it answers 404",
        ),  # type: ignore[arg-type]
        (OSError(), "no reason is known"),
    ],
)
def test_a_reason_is_a_clause_without_pythons_words(error, said):
    assert why_no_answer(error) == said
