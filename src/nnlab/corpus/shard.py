"""Stage *shard*: documents of all files, shuffled by seed, in files of about one size.

A document's place is a hash of (seed, file, its number there): which shard, and where
in it. So each shard is made by itself, from the indexes and its own documents alone,
and holds no more in memory than a few numbers a document.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlab.corpus.commit import Output, committed, unit_file
from nnlab.corpus.plan import Plan
from nnlab.corpus.shard_settings import ShardSettings
from nnlab.corpus.tokenise import INDEX, little_endian, trained

SPLITS = {"train": "tokens", "validation": "validation_tokens"}

# Of each document: shuffled place, file, first token in it, tokens, bytes of text.
CHOSEN = np.dtype(
    [("key", "u8"), *((name, "i8") for name in ("unit", "start", "tokens", "bytes"))]
)


def shards(plan: Plan) -> int:
    """Return how many shards there are; validation comes last."""
    return sum(_shards(plan).values())


def write_shard(
    plan: Plan, unit: int, output: Output, source: Path | None
) -> dict[str, Any]:
    """Write a shard's tokens, and where its documents end."""
    del source
    number = _shards(plan)
    is_validation = unit >= number["train"]
    split = "validation" if is_validation else "train"
    within = unit - number["train"] if is_validation else unit
    rows = [
        _chosen(plan, each, is_validation, within, number[split])
        for each in range(len(plan.files))
    ]
    chosen = np.concatenate(rows)
    chosen = chosen[np.argsort(chosen["key"], kind="stable")]
    ends = np.cumsum(chosen["tokens"])
    _copy(plan, output.open(f"{split}.bin"), chosen, ends - chosen["tokens"])
    output.open(f"{split}.ends.bin").write(ends.astype("<i8").tobytes())
    return {
        "split": split,
        "tokens": int(chosen["tokens"].sum()),
        "documents": len(chosen),
        "bytes": int(chosen["bytes"].sum()),
    }


def _shards(plan: Plan) -> dict[str, int]:
    """Return how many shards each split has: one at least."""
    settings = ShardSettings(**plan.config["shard"])
    totals = dict.fromkeys(SPLITS, 0)
    for unit in range(len(plan.files)):
        marker = committed(plan.folder, "tokenise", unit, plan.keys["tokenise"])
        assert marker is not None
        for split, name in SPLITS.items():
            totals[split] += marker["counts"][name]
    return {name: max(1, -(-all_ // settings.tokens)) for name, all_ in totals.items()}


def _chosen(
    plan: Plan, unit: int, is_validation: bool, within: int, shards: int
) -> NDArray[np.void]:
    """Return the documents of one file that belong to a shard."""
    place = plan.folder / "tokenise"
    index = np.fromfile(unit_file(place, unit, "index.bin"), INDEX)
    keys = _keys(plan.config["seed"], unit, len(index))
    # the high bits choose the shard, all of them the place in it
    shard = (keys >> np.uint64(32)) * np.uint64(shards) >> np.uint64(32)
    mine = (index["is_validation"] == is_validation) & (shard == within)
    rows = np.zeros(int(mine.sum()), CHOSEN)
    rows["key"], rows["unit"] = keys[mine], unit
    rows["start"] = (np.cumsum(index["tokens"]) - index["tokens"])[mine]
    rows["tokens"], rows["bytes"] = index["tokens"][mine], index["bytes"][mine]
    return rows


def _keys(seed: int, unit: int, documents: int) -> NDArray[np.uint64]:
    """Return a shuffled place for each document of a file.

    SplitMix64's finaliser (Steele, Lea & Flood 2014, figure 16), twice.
    """
    digest = hashlib.blake2b(f"{seed} {unit}".encode(), digest_size=16).digest()
    state = np.arange(documents, dtype=np.uint64)
    for number in np.frombuffer(digest, "<u8"):
        state = state + number + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return state


def _copy(
    plan: Plan, target: Any, chosen: NDArray[np.void], places: NDArray[np.int64]
) -> None:
    """Copy documents to their places, one file after the other."""
    size = little_endian(trained(plan)).itemsize
    for unit in np.unique(chosen["unit"]).tolist():
        with unit_file(plan.folder / "tokenise", unit, "tokens.bin").open("rb") as file:
            for row in np.flatnonzero(chosen["unit"] == unit).tolist():
                file.seek(int(chosen["start"][row]) * size)
                target.seek(int(places[row]) * size)
                target.write(file.read(int(chosen["tokens"][row]) * size))
