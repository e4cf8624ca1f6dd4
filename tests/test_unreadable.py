"""What cannot be read is told in plain words, with the operating system's reason."""

import bz2
import errno
import gzip
import json
import os
import zlib
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from nnlab.corpus.executor.failure import explained
from nnlab.corpus.worker import Task
from nnlab.errors import RunFailed, UserError
from nnlab.unreadable import why

PACKED = gzip.compress(os.urandom(1000))


def raised(act) -> Exception:
    try:
        act()
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: Path("/none").read_bytes(), "no such file or directory"),
        (lambda: Path("/").read_bytes(), "is a directory"),
        (
            lambda: gzip.decompress(PACKED[:-20]),
            "it is packed, and ends before its content does",
        ),
        (lambda: gzip.decompress(b"no gzip at all"), "it is packed, and damaged"),
        (lambda: bz2.decompress(b"BZh9" + bytes(50)), "it is packed, and damaged"),
        (lambda: zlib.decompress(b"nothing"), "it is packed, and damaged"),
        (lambda: b"a\xff".decode(), "it is not UTF-8 at byte 1"),
        (lambda: json.loads('{"a":'), "it is no JSON at character 6"),
        (lambda: fromstring("<a>\n<b"), "it is no whole XML (line 2, column 1)"),
    ],
)
def test_the_reason_is_said_in_plain_words(act, said):
    assert why(raised(act)) == said


def test_our_own_words_are_kept_and_no_words_are_said_to_be_none():
    assert (
        why(ValueError("a page of more than 9 bytes")) == "a page of more than 9 bytes"
    )
    assert why(ValueError()) == "no reason is known"


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "/dump.bz2"),
            RunFailed,
            "stage filter failed at unit 1, /dump.bz2: no such file or directory; "
            "what is done stays",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/dump.bz2"),
            UserError,
            "/dump.bz2 cannot be read: permission denied",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/out/filter/1.part"),
            UserError,
            "/out/filter/1.part cannot be written: permission denied",
        ),
        (
            TypeError("unexpected"),
            RunFailed,
            "stage filter failed at unit 1, TypeError: unexpected; what is done stays",
        ),
    ],
)
def test_a_failed_task_names_the_file_and_the_reason(error, kind, said):
    found = explained(Task("/out", "filter", 1, "/dump.bz2"), error)
    assert type(found) is kind
    assert str(found) == said
