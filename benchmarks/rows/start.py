"""What a command costs before, after and around training."""

import os
import sys
from collections.abc import Iterator

from rows.row import HERE, NNLAB, Given, Row, in_turns, of_time, spent

TORCH = (sys.executable, "-c", "import torch")
START = 1.1  # seconds that importing torch takes where the start's bars were set
SMALL = ("trainer.max_epochs=3", "data.repeats=50")
RAW_XOR = (sys.executable, str(HERE / "peers/raw_xor.py"), "raw")


def start(given: Given) -> Iterator[Row]:
    """Yield the command's own answers, the default run, a small sweep."""
    turns = 3 if given.quick else 7
    for words, seconds in (
        (("--help",), 0.35),
        (("--cfg", "job"), 0.25),
        (("list",), None),
    ):
        bar = None if seconds is None else seconds / START
        ours, theirs = (lambda w=words: spent(*NNLAB, *w)), (lambda: spent(*TORCH))
        pairs = in_turns(ours, theirs, turns)
        yield of_time(f"`nnlab {' '.join(words)}`", "`import torch`", pairs, bar)
    pairs = in_turns(lambda: spent(*NNLAB), lambda: spent(*RAW_XOR), turns)
    what = "`python -m nnlab`, shell to exit"
    yield of_time(what, "a script that does the same", pairs, 1.4)
    pairs = in_turns(
        lambda: spent(*NNLAB, "-m", *SMALL, "seed=1,2,3,4,5,6,7,8"),
        lambda: spent(*NNLAB, *SMALL),
        2 if given.quick else 5,
    )
    what, peer = "eight small runs in a sweep", "one such run"
    yield of_time(
        f"{what}, by the clock on {os.cpu_count()} cores",
        peer,
        pairs,
        1.5,
        by_clock=True,
    )
    yield of_time(f"{what}, by the processor", peer, pairs, None)
