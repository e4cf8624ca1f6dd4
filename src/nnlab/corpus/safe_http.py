"""Https only, redirections included."""

import urllib.request
from typing import Any
from urllib.parse import urlsplit

from nnlab.errors import UserError


class UnsafeError(UserError):
    """A URL that is not asked."""


class SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to where a fetch may go."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        refuse_unsafe(newurl)
        if is_here(newurl) and not is_here(req.full_url):
            raise UnsafeError(f"{req.full_url} leads to this machine, {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def refuse_unsafe(url: str) -> None:
    """Raise `UserError` unless it is https, or http on this machine."""
    scheme = urlsplit(url).scheme
    if scheme != "https" and not (scheme == "http" and is_here(url)):
        raise UnsafeError(f"{url} is not https; give a server that is")


def is_here(url: str) -> bool:
    """Return whether a URL names this machine."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
