"""Downloads: https only, capped, verified by SHA-256, and named only once whole."""

import hashlib
import http.client
import os
import urllib.request
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from nnlab.connection import opener, why_no_answer
from nnlab.errors import UserError
from nnlab.notice import announce
from nnlab.part import part_of
from nnlab.unreadable import why

SECONDS_TO_ANSWER = 30
_CHUNK = 1 << 20  # bytes


class _RefusedError(OSError):
    """What a server sent, or where it sent us, is not to be used."""


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        _refuse_other_than_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def data_folder(data_dir: str | None) -> Path:
    """Return the folder given, else $NNLAB_DATA, else one in the user's cache.

    A relative folder is relative to the current one.
    """
    if data_dir := data_dir or os.environ.get("NNLAB_DATA"):
        return Path(data_dir).expanduser().absolute()
    return cache_folder()


def cache_folder() -> Path:
    """Return the folder in the user's cache: for what can be made again."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache).expanduser().absolute() / "nnlab"


def obtain(urls: Sequence[str], path: Path, *, sha256: str, size: int) -> bytes:
    """Return a published file's content, downloaded as it is where it is missing.

    Its SHA-256 is compared at each use, not only when it came.

    Raises:
        UserError: where it cannot be had, or is another file.
    """
    if not path.exists():
        download(urls, path, sha256=sha256, size=size, is_packed=False)
    try:
        with path.open("rb") as file:
            content = file.read(size + 1)  # one more byte tells a longer file
    except OSError as cause:
        raise UserError(
            f"{path} cannot be read ({why(cause)}); delete or replace it"
        ) from cause
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise UserError(
            f"{path} is not the published file: its SHA-256 is {digest}, not {sha256}; "
            f"delete it, and it is downloaded anew from {urls[0]}"
        )
    return content


def download(
    urls: Sequence[str],
    target: Path,
    *,
    sha256: str,
    size: int,
    is_packed: bool = True,
) -> None:
    """Write to `target` the file that the first good one of `urls` gives.

    Args:
        urls: mirrors of one file, tried in turn.
        target: exists afterwards, whole, or not at all.
        sha256: of the unpacked content, in hexadecimal.
        size: of the unpacked content, in bytes; no more is read, written or unpacked.
        is_packed: whether a mirror gives it as gzip; the file is written unpacked.

    Raises:
        UserError: no mirror gave the file; names a URL and the folder to put it in.
    """
    causes: list[str] = []
    announce(f"downloading {target.name} from {urlsplit(urls[0]).hostname}")
    for url in urls:
        try:
            _fetch(url, target, sha256=sha256, size=size, is_packed=is_packed)
        except (OSError, http.client.HTTPException, zlib.error) as cause:
            causes.append(_clause(cause))
        else:
            return
    raise UserError(
        f"{target.name} is missing and could not be downloaded "
        f"({'; '.join(dict.fromkeys(causes))}): put {urls[0]} into {target.parent}, or "
        f"name another folder by data.data_dir or NNLAB_DATA"
    )


def _fetch(url: str, target: Path, *, sha256: str, size: int, is_packed: bool) -> None:
    _refuse_other_than_https(url)
    with opener(_HttpsOnly).open(url, timeout=SECONDS_TO_ANSWER) as answer:
        target.parent.mkdir(parents=True, exist_ok=True)  # now that there is an answer
        with part_of(target) as file:
            copy = _unpack if is_packed else _copy
            digest = copy(answer, file, size=size)
            if digest != sha256:
                raise _RefusedError(f"{url} has the SHA-256 {digest}, not {sha256}")


def _unpack(packed: IO[bytes], unpacked: IO[bytes], *, size: int) -> str:
    """Copy, decompressing, at most `size` bytes; return their SHA-256."""
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: a gzip header
    digest = hashlib.sha256()
    received = written = 0
    while chunk := packed.read(_CHUNK):
        received += len(chunk)
        content = unzip.decompress(chunk, size + 1 - written)
        written += len(content)
        # what cannot be compressed grows by less than a chunk
        if written > size or received > size + _CHUNK:
            raise _RefusedError(f"it is larger than {size} bytes")
        digest.update(content)
        unpacked.write(content)
    if not unzip.eof:
        raise _RefusedError(f"it ends after {received} bytes, before its content does")
    return digest.hexdigest()


def _copy(source: IO[bytes], target: IO[bytes], *, size: int) -> str:
    """Copy `size` bytes, no more and no less; return their SHA-256."""
    content = source.read(size + 1)
    if len(content) != size:
        found = "larger" if len(content) > size else "smaller"
        raise _RefusedError(f"it is {found} than {size} bytes")
    target.write(content)
    return hashlib.sha256(content).hexdigest()


def _clause(cause: Exception) -> str:
    if isinstance(cause, zlib.error):
        return "what came is no whole gzip file"
    return why_no_answer(cause)


def _refuse_other_than_https(url: str) -> None:
    if not url.startswith("https://"):
        raise _RefusedError(f"{url} is not https")
