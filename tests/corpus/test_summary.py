"""The books of a preparation as a person reads them."""

import io
from pathlib import Path

from rich.console import Console

from nnlab.corpus.summary import few_hosts, show_summary


def manifest(tokens: int, shards: int, hosts: int) -> dict[str, object]:
    splits = ["train", "validation"]
    return {
        "counts": {
            **{"documents": 1, "kept": 1, "kept_bytes": 8, "dropped": {}},
            **{"damaged": 0, "oversized": 0, "missing": 0},
        },
        "shards": [
            {"split": split, "tokens": tokens}
            for split in splits
            for _ in range(shards)
        ][:shards],
        "hosts": dict.fromkeys(map(str, range(hosts)), 1),
        "config": {"shard": {"validation_share": 0.1, "keeps_together": "host"}},
        "damage": [],
    }


def said(**counts: int) -> str:
    out = io.StringIO()
    show_summary(Console(file=out, width=200), Path("folder"), manifest(**counts))
    return out.getvalue()


def test_one_is_said_in_the_singular():
    shown = said(tokens=1, shards=1, hosts=1)
    assert "1 token to train, 0 to validate, in 1 shard; 0.0 MB" in shown
    assert "all pages are of 1 host;" in shown


def test_several_are_said_in_the_plural():
    shown = said(tokens=2000, shards=2, hosts=3)
    assert "4,000 tokens to train, 0 to validate, in 2 shards; 0.0 MB" in shown
    assert "3 hosts" in few_hosts(manifest(tokens=1, shards=1, hosts=3))
