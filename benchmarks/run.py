"""nnlab beside what one would use without it; writes docs/benchmarks.md.

    python benchmarks/run.py [quick] [--only start,steps] [--nanogpt <folder>]

Both sides of a row run in turns, in the same call, on one thread. A ratio is nnlab's
time on the processor over the peer's, the median of the turns; beside it the quarters
of the turns. Below 1 nnlab is the faster. `quick` takes fewer turns, leaves out what
takes minutes, and writes nothing. Exit status 1 where a bar is missed.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import gpt_step
import step_time
import torch

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs/benchmarks.md"
NNLAB = (sys.executable, "-m", "nnlab")
TORCH = (sys.executable, "-c", "import torch")
START = 1.1  # seconds that importing torch takes where the start's bars were set
SMALL = ("trainer.max_epochs=3", "data.repeats=50")


class Row(NamedTuple):
    """One thing, done by both."""

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
    """Seconds of a command, on the processor and by the clock; MB at its largest."""

    processor: float
    wall: float
    output: str


def spent(*command: str, **surroundings: str) -> Spent:
    """Run a command in a folder of its own."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            command,
            check=True,
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | surroundings,
            capture_output=True,
            text=True,
        )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(processor, wall, done.stdout)


def beside(
    what: str,
    peer: str,
    ours: Callable[[], Spent],
    theirs: Callable[[], Spent],
    *,
    turns: int,
    bar: float | None,
) -> Row:
    """Take turns, and compare the time on the processor."""
    pairs = [(ours(), theirs()) for _ in range(turns)]
    ratios = [one.processor / other.processor for one, other in pairs]
    quarters = statistics.quantiles(ratios, n=4) if turns > 1 else ratios * 3
    medians = [
        statistics.median(pair[side].processor for pair in pairs) for side in (0, 1)
    ]
    shown = [f"{seconds:.2f} s" for seconds in medians]
    return Row(
        what, peer, *shown, statistics.median(ratios), quarters[0], quarters[2], bar
    )


def start(quick: bool, nanogpt: Path | None) -> Iterator[Row]:
    """What a command costs before, after and around training."""
    turns = 3 if quick else 7
    for words, seconds in (
        (("--help",), 0.35),
        (("--cfg", "job"), 0.25),
        (("list",), None),
    ):
        bar = None if seconds is None else seconds / START
        name = f"`nnlab {' '.join(words)}`"
        ours, theirs = (lambda w=words: spent(*NNLAB, *w)), (lambda: spent(*TORCH))
        yield beside(name, "`import torch`", ours, theirs, turns=turns, bar=bar)
    raw = (sys.executable, str(HERE / "peers/raw_xor.py"), "raw")
    yield beside(
        "`python -m nnlab`, shell to exit",
        "a script that does the same",
        lambda: spent(*NNLAB),
        lambda: spent(*raw),
        turns=turns,
        bar=1.4,
    )
    yield beside(
        "eight small runs in a sweep",
        "one such run",
        lambda: spent(*NNLAB, "-m", *SMALL, "seed=1,2,3,4,5,6,7,8"),
        lambda: spent(*NNLAB, *SMALL),
        turns=2 if quick else 3,
        bar=1.5,
    )


def steps(quick: bool, nanogpt: Path | None) -> Iterator[Row]:
    """A training step, with all defaults on."""
    for case in step_time.CASES:
        got = step_time.measure(case, 6 if quick else None)
        loop = "DataLoader" if case.loader == "torch" else "data in memory"
        yield Row(
            f"step, {case.network}",
            f"hand-written loop, {loop}",
            *(f"{got.ours:,.0f} us", f"{got.loops:,.0f} us"),
            *(got.ratio, got.low, got.high, case.bar),
        )


def gpt(quick: bool, nanogpt: Path | None) -> Iterator[Row]:
    """A GPT's step, nanoGPT's setting for a CPU."""
    with tempfile.TemporaryDirectory() as folder:
        rows = gpt_step.turns(nanogpt, Path(folder), mkl=False)
    # the second where oneDNN wins its self-test, as on AMD; 0.97 elsewhere
    bars = {"hand-written loop": 1.02, "nanoGPT's model and optimizer": 0.65}
    for place, (name, bar) in enumerate(bars.items(), start=1):
        if place == len(rows[0]):
            break
        ratios = [row[0][1] / row[place][1] for row in rows]
        low, middle, high = statistics.quantiles(ratios, n=4)
        medians = (
            statistics.median(row[side][1] for row in rows) for side in (0, place)
        )
        shown = [f"{seconds * 1e3 / gpt_step.STEPS:.1f} ms" for seconds in medians]
        yield Row("step, gpt", name, *shown, middle, low, high, bar)


def target(quick: bool, nanogpt: Path | None) -> Iterator[Row]:
    """LeNet-5 to 99 % of MNIST's test set: one recipe, twice."""
    data = os.environ.get("NNLAB_DATA")
    if quick or data is None:
        return
    epochs = 5
    peer = (sys.executable, str(HERE / "peers/plain_lightning.py"), data, str(epochs))
    ours = (*NNLAB, "model=lenet5", f"trainer.max_epochs={epochs}")
    one, other = spent(*ours), spent(*peer)
    lines = [line.split() for line in one.output.splitlines()]
    [reached] = [words[1] for words in lines if words[:1] == ["accuracy"]]
    theirs = other.output.split()[-1]
    ratio = one.processor / other.processor
    yield Row(
        "LeNet-5 on MNIST, 5 epochs, shell to exit",
        "plain Lightning, torchvision's DataLoader",
        f"{one.processor:.1f} s ({reached}%)",
        f"{other.processor:.1f} s ({float(theirs):.2%})",
        *(ratio, ratio, ratio, 1 / 3),
    )


SECTIONS = {"start": start, "steps": steps, "gpt": gpt, "target": target}


def main() -> int:
    """Measure, print a line a row, write the page; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("quick", nargs="?", choices=["quick"])
    parser.add_argument("--only", default=",".join(SECTIONS), help=", ".join(SECTIONS))
    parser.add_argument("--nanogpt", type=lambda path: Path(path).absolute())
    given = parser.parse_args()
    if "NNLAB_DATA" in os.environ:
        os.environ["NNLAB_DATA"] = str(Path(os.environ["NNLAB_DATA"]).absolute())
    rows: list[Row] = []
    for name in given.only.split(","):
        for row in SECTIONS[name](bool(given.quick), given.nanogpt):
            rows.append(row)
            print("  ".join(cell for cell in row.cells() if cell), flush=True)
    if not given.quick and given.only == ",".join(SECTIONS):
        PAGE.write_text(page(rows, sys.argv[1:]), encoding="utf-8")
    return int(not all(row.is_met for row in rows))


def page(rows: list[Row], words: list[str]) -> str:
    """Return docs/benchmarks.md."""
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows)]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    day = datetime.now(UTC).date()
    command = " ".join(
        ["python benchmarks/run.py", *(w for w in words if "/" not in w)]
    )
    extra = (HERE / "more.md").read_text(encoding="utf-8")
    return f"""# Benchmarks

`{command}` wrote this table on {day}: {machine()}, PyTorch {torch.__version__}, one
thread. Both sides of a row ran in turns; the ratio is nnlab's time on the processor
over the peer's, the median of the turns, with their quarters beside it. Below 1 nnlab
is the faster. nnlab runs with all that is on by default: log, TensorBoard, checkpoints,
guard against NaN. `python benchmarks/run.py quick` takes minutes and writes nothing.

{table}

{extra}"""


def machine() -> str:
    """Return the processor in words."""
    cores = f"{os.cpu_count()} cores"
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [
            line.partition(":")[2].strip() for line in lines if "model name" in line
        ]
    except OSError:
        names = [platform.processor()]
    return f"{cores} of {names[0] if names else platform.machine()}"


if __name__ == "__main__":
    sys.exit(main())
