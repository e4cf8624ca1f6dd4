"""Connections to a server: who is not there is left soon.

A server that has answered may take its time over what it sends; one that does not even
take a connection is given up soon.
"""

import http.client
import ssl
import urllib.error
import urllib.request
from typing import Any

CONNECT_SECONDS = 10.0


class NoConnectionError(OSError):
    """Nobody took the connection."""


class _Soon(http.client.HTTPConnection):
    """A connection that must come about soon, and then has all of its time-out."""

    def connect(self) -> None:
        patience = self.timeout
        self.timeout = soon = min(patience or CONNECT_SECONDS, CONNECT_SECONDS)
        try:
            super().connect()
        except TimeoutError:
            raise NoConnectionError(
                f"no connection came about in {soon:g} seconds"
            ) from None
        finally:
            self.timeout = patience
        self.sock.settimeout(patience)


class _SoonSecure(_Soon, http.client.HTTPSConnection):
    """The same by https: its handshake is part of the connection."""


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Soon, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> Any:
        context = ssl.create_default_context()
        return self.do_open(_SoonSecure, req, context=context)


def opener(
    redirects: type[urllib.request.HTTPRedirectHandler],
) -> urllib.request.OpenerDirector:
    """Return what opens URLs, following redirections as `redirects` allows."""
    return urllib.request.build_opener(_Http, _Https, redirects)


def why_no_answer(error: Exception) -> str:
    """Return why a request failed, as a clause: mostly the system's reason."""
    if isinstance(error, urllib.error.HTTPError):
        return f"it answers {error.code}"
    if isinstance(error, http.client.IncompleteRead):
        return "what it sent broke off"
    reason: Any = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {reason.verify_message}".rstrip(".")
    if isinstance(reason, ssl.SSLError):
        return "it does not speak https as it should"
    if isinstance(reason, TimeoutError):
        return "it stalled"
    text = getattr(reason, "strerror", None) or str(reason) or "no reason is known"
    return text[:1].lower() + text[1:]
