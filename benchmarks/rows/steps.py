"""A training step, with all that is on by default."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import gpt_step
import step_time

from nnlab.callback import onednn
from rows.row import Given, Row, quarters

BATCH = {"xor": 4, "autoencoder": 128}  # examples; 64 where nothing else is said
TOKENS = 12 * 64  # of a step of nanoGPT's CPU setting
BAR = 0.65  # of a GPT's step in nanoGPT's, where oneDNN serves
MKL_BAR = 0.97  # where it does not


def steps(given: Given) -> Iterator[Row]:
    """Yield each network's step beside a hand-written loop's."""
    for case in step_time.CASES:
        got = step_time.measure(case, 6 if given.quick else None)
        loop = "DataLoader" if case.loader == "torch" else "data in memory"
        batch = BATCH.get(case.network, 64)
        ours, theirs = (
            shown(us / 1e6, batch, "examples") for us in (got.ours, got.loops)
        )
        yield Row(
            f"step, {case.network}, batches of {batch}",
            f"hand-written loop, {loop}",
            *(ours, theirs, got.ratio, got.low, got.high, case.bar),
        )


def gpt(given: Given) -> Iterator[Row]:
    """Yield a GPT's step, nanoGPT's setting for a CPU; through MKL as well."""
    if not given.has_shakespeare:
        return
    if is_onednn():
        yield from in_one_process("step, gpt", given.nanogpt, BAR, mkl=False)
    # on an AMD it only stands for another processor, and MKL takes its slow way
    most = None if is_onednn() else MKL_BAR
    yield from in_one_process("step, gpt through MKL", given.nanogpt, most, mkl=True)


def in_one_process(
    what: str, nanogpt: Path | None, bar: float | None, *, mkl: bool
) -> Iterator[Row]:
    """Yield the run's step beside the loops that take turns with it."""
    with tempfile.TemporaryDirectory() as folder:
        rows = gpt_step.turns(nanogpt, Path(folder), mkl=mkl)
    bars = {"hand-written loop": 1.02, "nanoGPT's model and optimizer": bar}
    for place, (name, most) in enumerate(bars.items(), start=1):
        if place == len(rows[0]):
            break
        low, middle, high = quarters([row[0][1] / row[place][1] for row in rows])
        seconds = (
            statistics.median(row[side][1] for row in rows) / gpt_step.STEPS
            for side in (0, place)
        )
        ours, theirs = (shown(each, TOKENS, "tokens") for each in seconds)
        yield Row(
            f"{what}, {TOKENS} tokens", name, ours, theirs, middle, low, high, most
        )


def is_onednn() -> bool:
    """Say whether callback=onednn, on for GPT, acts on this processor."""
    return onednn.is_amd() and onednn.is_right()


def shown(seconds: float, count: int, things: str) -> str:
    """Return a step's time, and how many examples or tokens that is in a second."""
    time = f"{seconds * 1e6:,.0f} us" if seconds < 0.01 else f"{seconds * 1e3:.1f} ms"
    return f"{time}, {count / seconds:,.0f} {things}/s"
