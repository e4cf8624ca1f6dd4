"""What a preparation was made from and what became of it, as one JSON file.

It is a function of the plan: no time, no machine, no number of workers stands in it.
"""

import json
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from nnlab.corpus.commit import committed, to_json, unit_file, write_whole
from nnlab.corpus.plan import Plan
from nnlab.corpus.sieve import most_frequent
from nnlab.corpus.stages import DEDUPLICATE, FILTER, SHARD, TOKENISE
from nnlab.errors import UserError

NAME = "manifest.json"
HOSTS_TOLD = 50
DAMAGE_TOLD = 1_000
LIBRARIES = ("nnlab", "fastwarc", "fasttext-predict", "rensa", "tiktoken", "numpy")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return a folder's manifest, None where it is not prepared to the end."""
    file = folder / NAME
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as cause:
        raise UserError(f"{file} is damaged; delete it, and prepare again") from cause


def made_manifest(plan: Plan) -> dict[str, Any]:
    """Return the manifest of a plan whose stages are all done."""
    filtered = _counts(plan, FILTER.name, len(plan.files))
    [deduplicated] = _counts(plan, DEDUPLICATE.name, 1)
    tokenised = _counts(plan, TOKENISE.name, len(plan.files))
    shards = _shards(plan)
    counts = _balance(filtered, deduplicated)
    assert counts["kept"] == sum(each["documents"] for each in tokenised)
    assert counts["kept"] == sum(each["documents"] for each in shards)
    return {
        "config": plan.config,
        "tokenizer": plan.tokenizer,
        "keys": plan.keys,
        "versions": _versions(),
        "counts": counts,
        "files": _files(plan, filtered),
        "damage": _damage(plan, filtered)[:DAMAGE_TOLD],
        "changed": _changed(filtered),
        "languages": {
            name: dict(most_frequent(_sum(filtered, "languages", name), HOSTS_TOLD))
            for name in ("all", "kept")
        },
        "lengths": {
            name: np.sum([each["lengths"][name] for each in filtered], axis=0).tolist()
            for name in ("all", "kept")
        },
        "hosts": dict(most_frequent(_sum(filtered, "hosts"), HOSTS_TOLD)),
        "shards": shards,
    }


def write_manifest(plan: Plan, manifest: dict[str, Any]) -> None:
    """Write the manifest: from here on the folder is prepared."""
    write_whole(plan.folder / NAME, to_json(manifest))


def _balance(filtered: list[Any], deduplicated: dict[str, Any]) -> dict[str, Any]:
    """Return the books, which balance: in = kept + the sum of all drops."""
    total: Counter[str] = Counter()
    dropped: dict[str, int] = {}
    summed = ("documents", "text_bytes", "kept_bytes", "broken_characters")
    for each in filtered:
        for name in (*summed, "damaged", "oversized", "missing"):
            total[name] += each[name]
        for name, count in each["dropped"].items():
            dropped[name] = dropped.get(name, 0) + count
        assert each["documents"] == each["kept"] + sum(each["dropped"].values())
    dropped |= deduplicated["dropped"]
    copies = sum(deduplicated["dropped"].values())
    assert deduplicated["documents"] == sum(each["kept"] for each in filtered)
    kept = deduplicated["documents"] - copies
    assert total["documents"] == kept + sum(dropped.values())
    return {**total, "kept": kept, "dropped": dropped}


def _counts(plan: Plan, stage: str, units: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for unit in range(units):
        marker = committed(plan.folder, stage, unit, plan.keys[stage])
        assert marker is not None
        found.append(marker["counts"])
    return found


def _shards(plan: Plan) -> list[dict[str, Any]]:
    shards: list[dict[str, Any]] = []
    for unit in range(SHARD.count(plan)):
        marker = committed(plan.folder, SHARD.name, unit, plan.keys[SHARD.name])
        assert marker is not None
        files = {
            unit_file(Path(SHARD.name), unit, name).as_posix(): each
            for name, each in marker["files"].items()
        }
        shards.append({**marker["counts"], "files": files})
    return shards


def _files(plan: Plan, filtered: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": file.name,
            **each["archive"],
            **{
                name: each[name]
                for name in ("documents", "kept", "damaged", "oversized")
            },
        }
        for file, each in zip(plan.files, filtered, strict=True)
    ]


def _damage(plan: Plan, filtered: list[Any]) -> list[dict[str, Any]]:
    return [
        {"file": file.name, **damage}
        for file, each in zip(plan.files, filtered, strict=True)
        for damage in each["damage"]
    ]


def _changed(filtered: list[Any]) -> dict[str, dict[str, int]]:
    total: dict[str, Counter[str]] = {}
    for each in filtered:
        for name, counts in each["changed"].items():
            total.setdefault(name, Counter()).update(counts)
    return {name: dict(counts) for name, counts in total.items()}


def _sum(filtered: list[Any], *path: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in filtered:
        for name in path:
            each = each[name]
        total.update(each)
    return total


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
