"""Stage *deduplicate*: of texts that are equal, or nearly, the first one stays.

All fingerprints are judged together, in the order of the files, so that who finished
first does not matter: near copies are what a chain of equal bands connects.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlab.corpus.commit import Output, unit_file
from nnlab.corpus.fingerprint import BANDS, FINGERPRINT
from nnlab.corpus.plan import Plan

UNIQUE, EXACT, NEAR = 0, 1, 2  # verdicts
Verdicts = NDArray[np.uint8]
Places = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Copies:
    """The numbers of `data.deduplicate`: whether exact and near copies are dropped."""

    exact: bool
    near: bool


def one(plan: Plan) -> int:
    """Return how many units the stage has: all fingerprints are judged together."""
    del plan
    return 1


def deduplicate(
    plan: Plan, unit: int, output: Output, source: Path | None
) -> dict[str, Any]:
    """Write a verdict for each kept document of all files, in their order."""
    del unit, source
    place = plan.folder / "filter"
    parts = [
        np.fromfile(unit_file(place, each, "fingerprints.bin"), FINGERPRINT)
        for each in range(len(plan.files))
    ]
    verdicts = judged(np.concatenate(parts), Copies(**plan.config["deduplicate"]))
    output.open("verdicts.bin").write(verdicts.tobytes())
    dropped = {
        "exact_copy": int((verdicts == EXACT).sum()),
        "near_copy": int((verdicts == NEAR).sum()),
    }
    return {"documents": len(verdicts), "dropped": dropped}


def judged(every: NDArray[np.void], copies: Copies) -> Verdicts:
    """Return a verdict for each fingerprint: the first of its like is UNIQUE."""
    verdicts = np.full(len(every), UNIQUE, np.uint8)
    if copies.near:
        verdicts[:] = NEAR
        first = first_of_groups(len(every), *_equal_bands(every["bands"]))
        verdicts[first == np.arange(len(every))] = UNIQUE
    if copies.exact:
        # the two halves as one value of 16 bytes, which sorts much faster than rows
        whole = np.ascontiguousarray(every["exact"]).view("V16").ravel()
        _, first = np.unique(whole, return_index=True)
        is_copy = np.ones(len(every), bool)
        is_copy[first] = False
        verdicts[is_copy] = EXACT
    return verdicts


def _equal_bands(bands: NDArray[np.uint64]) -> tuple[Places, Places]:
    """Return pairs of documents that have a band in common, as two columns."""
    lefts, rights = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for band in range(BANDS):
        order = np.argsort(bands[:, band], kind="stable")
        keys = bands[order, band]
        same = np.flatnonzero(keys[1:] == keys[:-1])
        lefts.append(order[same])
        rights.append(order[same + 1])
    return np.concatenate(lefts), np.concatenate(rights)


def first_of_groups(size: int, lefts: Places, rights: Places) -> Places:
    """Return for each of `size` documents the first one of the group that it is in.

    Pairs connect documents to groups. All documents point to themselves, then of each
    pair both to the lesser that one of them points to, and on to where that one points,
    until nothing changes (Shiloach & Vishkin 1982, "An O(log n) Parallel Connectivity
    Algorithm", https://doi.org/10.1016/0196-6774(82)90008-6).
    """
    first = np.arange(size)
    while True:
        low = np.minimum(first[lefts], first[rights])
        now = first.copy()
        np.minimum.at(now, first[lefts], low)
        np.minimum.at(now, first[rights], low)
        now = now[now]
        if np.array_equal(now, first):
            return first
        first = now


def verdicts_of(plan: Plan, unit: int) -> Verdicts:
    """Return the verdicts of one file's kept documents."""
    place = plan.folder / "filter"
    sizes = [
        unit_file(place, each, "fingerprints.bin").stat().st_size
        // FINGERPRINT.itemsize
        for each in range(unit + 1)
    ]
    verdicts = unit_file(plan.folder / "deduplicate", 0, "verdicts.bin")
    return np.fromfile(verdicts, np.uint8, sizes[-1], offset=sum(sizes[:-1]))
