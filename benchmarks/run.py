"""nnlab beside what one would use without it; writes docs/benchmarks.md.

    python benchmarks/run.py [quick] [--only start,steps] [--nanogpt <folder>]

Both sides of a row run in turns, in the same call, on one thread. A ratio is what nnlab
takes over what the peer takes, the median of the turns; beside it the quarters of the
turns. Below 1 nnlab is the better. `quick` takes fewer turns, leaves out what takes
minutes, and writes nothing. MNIST and Tiny Shakespeare must have been fetched, by
`nnlab model=lenet5` and `nnlab model=gpt`. Exit status 1 where a bar is missed.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import torch
from rows.generated import generate
from rows.memory import jobs, memory
from rows.row import HEAD, HERE, Given, Row
from rows.start import start
from rows.steps import gpt, steps
from rows.target import lenet5, shakespeare
from rows.together import together

from nnlab.download import data_folder

PAGE = HERE.parent / "docs/benchmarks.md"
SECTIONS: dict[str, Callable[[Given], Iterator[Row]]] = {
    "start": start,
    "steps": steps,
    "gpt": gpt,
    "lenet5": lenet5,
    "shakespeare": shakespeare,
    "together": together,
    "generate": generate,
    "memory": memory,
    "jobs": jobs,
}


def main() -> int:
    """Measure, print a line a row, write the page; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("quick", nargs="?", choices=["quick"])
    parser.add_argument(
        "--only", type=sections, default=list(SECTIONS), help=", ".join(SECTIONS)
    )
    parser.add_argument("--nanogpt", type=lambda path: Path(path).absolute())
    words = parser.parse_args()
    data = data_folder(None).absolute()
    os.environ["NNLAB_DATA"] = str(data)  # commands run in folders of their own
    given = Given(bool(words.quick), words.nanogpt, data)
    rows: list[Row] = []
    for name in words.only:
        count = len(rows)
        for row in SECTIONS[name](given):
            rows.append(row)
            print("  ".join(cell for cell in row.cells() if cell), flush=True)
        if len(rows) == count:
            print(f"{name}: left out, for want of time, of nanoGPT or of data")
    if not words.quick and words.only == list(SECTIONS):
        PAGE.write_text(page(rows, sys.argv[1:]), encoding="utf-8")
    return int(not all(row.is_met for row in rows))


def sections(text: str) -> list[str]:
    """Return the names of sections in a list with commas."""
    names = text.split(",")
    for name in names:
        if name not in SECTIONS:
            raise argparse.ArgumentTypeError(
                f"no {name}; there are {', '.join(SECTIONS)}"
            )
    return names


def page(rows: list[Row], words: list[str]) -> str:
    """Return docs/benchmarks.md."""
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows)]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    day = datetime.now(UTC).date()
    shown = ("<folder>" if "/" in word else word for word in words)
    command = " ".join(["python benchmarks/run.py", *shown])
    extra = (HERE / "more.md").read_text(encoding="utf-8")
    return f"""# Benchmarks

`{command}` wrote this table on {day}:
{machine()}, PyTorch {torch.__version__}, one thread. Both sides of a row ran in turns;
the ratio is what nnlab takes over what the peer takes, the median of the turns, with
their quarters beside it. Below 1 nnlab is the better. Time is the processor's, but for
what is said to be by the clock; memory is the largest resident set. nnlab runs with all
that is on by default: log, TensorBoard, checkpoints, guard against NaN.
`python benchmarks/run.py quick` takes minutes and writes nothing.

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
