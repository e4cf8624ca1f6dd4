"""A row of the table, and what it is made from: commands that run in turns."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parents[1]
WATCHED = HERE / "rows/watched.py"
NNLAB = (sys.executable, "-m", "nnlab")


class Given(NamedTuple):
    """What the command line says.

    Attributes:
        quick: fewer turns, and nothing that takes minutes.
        nanogpt: the folder of nanoGPT's model.py and train.py.
        data: where nnlab has its data.
    """

    quick: bool
    nanogpt: Path | None
    data: Path

    @property
    def has_mnist(self) -> bool:
        return (self.data / "MNIST/raw/train-images-idx3-ubyte").is_file()

    @property
    def has_shakespeare(self) -> bool:
        return (self.data / "shakespeare/input.txt").is_file()


class Row(NamedTuple):
    """One thing, done by both; the ratio is what ours takes over what theirs does."""

    what: str
    peer: str
    ours: str
    theirs: str
    ratio: float
    low: float
    high: float
    bar: float | None

    @property
    def is_met(self) -> bool:
        return self.bar is None or self.ratio <= self.bar

    def cells(self) -> list[str]:
        bar = "" if self.bar is None else f"{self.bar:.2f}"
        spread = f"{self.low:.2f} to {self.high:.2f}"
        met = "" if self.is_met else "missed"
        ratio = f"{self.ratio:.2f}"
        return [self.what, self.peer, self.ours, self.theirs, ratio, spread, bar, met]


HEAD = ["what", "beside", "nnlab", "peer", "ratio", "quarters", "bar", ""]


class Spent(NamedTuple):
    """What a command took: seconds of the processor, of the clock, most MB."""

    processor: float
    wall: float
    memory: float
    output: str


Pairs = Sequence[tuple[Spent, Spent]]


def spent(*command: str, folder: Path | None = None) -> Spent:
    """Run a command on one thread, in a folder of its own where none is given.

    Memory is the largest resident set of it and of the processes that it waited for.

    Raises:
        SystemExit: where it fails, with what it said.
    """
    with tempfile.TemporaryDirectory() as own:
        file = Path(own) / "took.json"
        done = subprocess.run(
            [sys.executable, str(WATCHED), str(file), *command],
            cwd=folder or own,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
        return Spent(**json.loads(file.read_text()), output=done.stdout)


def in_turns(
    ours: Callable[[], Spent], theirs: Callable[[], Spent], turns: int
) -> list[tuple[Spent, Spent]]:
    """Run both, one after the other, so many times."""
    return [(ours(), theirs()) for _ in range(turns)]


def of_time(
    what: str, peer: str, pairs: Pairs, bar: float | None, *, by_clock: bool = False
) -> Row:
    """Compare the seconds on the processor; or by the clock."""
    kind = "wall" if by_clock else "processor"
    seconds = [(getattr(one, kind), getattr(other, kind)) for one, other in pairs]
    return compared(what, peer, seconds, "{:.2f} s", bar)


def of_memory(what: str, peer: str, pairs: Pairs, bar: float | None) -> Row:
    """Compare the memory at its largest."""
    sizes = [(one.memory, other.memory) for one, other in pairs]
    return compared(what, peer, sizes, "{:,.0f} MB", bar)


def compared(
    what: str,
    peer: str,
    pairs: Iterable[tuple[float, float]],
    shown: str,
    bar: float | None,
) -> Row:
    """Compare numbers, ours and theirs, a pair a turn: the smaller is the better."""
    both = list(pairs)
    low, middle, high = quarters([one / other for one, other in both])
    ours, theirs = (
        shown.format(statistics.median(pair[side] for pair in both)) for side in (0, 1)
    )
    return Row(what, peer, ours, theirs, middle, low, high, bar)


def quarters(numbers: Sequence[float]) -> tuple[float, float, float]:
    """Return the first quarter, the median and the third; of one number, that."""
    if len(numbers) == 1:
        return numbers[0], numbers[0], numbers[0]
    low, middle, high = statistics.quantiles(numbers, n=4)
    return low, middle, high
