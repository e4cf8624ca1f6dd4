"""Memory: of a run at its most, and of a sweep a job."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import sweep

from rows.row import NNLAB, Given, Row, in_turns, of_memory, spent
from rows.start import RAW_XOR
from rows.target import LENET5, LIGHTNING, lightning

JOBS = 200


def memory(given: Given) -> Iterator[Row]:
    """Yield the largest resident set of a run, beside the peer's."""
    pairs = in_turns(lambda: spent(*NNLAB), lambda: spent(*RAW_XOR), 1)
    peer = "a script that does the same"
    yield of_memory("`python -m nnlab`, memory at its most", peer, pairs, None)
    if given.quick or not given.has_mnist:
        return
    peer = lightning(given.data, epochs=1, seed=0)
    ours = (*NNLAB, LENET5, "trainer.max_epochs=1")
    pairs = in_turns(lambda: spent(*ours), lambda: spent(*peer), 1)
    what = "LeNet-5 on MNIST, one epoch, memory at its most"
    yield of_memory(what, LIGHTNING, pairs, None)


def jobs(given: Given) -> Iterator[Row]:
    """Yield how much a sweep of small jobs grows by with each."""
    if given.quick:
        return
    with tempfile.TemporaryDirectory() as folder:
        found = sweep.many(JOBS, Path(folder))
    grown = max(found["parent"], found["server"])
    ratio = grown / sweep.MEMORY
    yield Row(
        f"{JOBS} small jobs in a sweep, memory a job",
        "what is allowed",
        *(f"{grown:.3f} MB", f"{sweep.MEMORY} MB"),
        *(ratio, ratio, ratio, 1.0),
    )
