"""A GPT's time a step, against a hand-written loop and nanoGPT's, in one process.

    python benchmarks/gpt_step.py [--nanogpt <folder of nanoGPT's model.py>] [--mkl]

nanoGPT's CPU setting: 4 layers, 4 heads, 128 wide, 12 windows of 64 characters. nnlab
runs as a user runs it, log and progress bar on; a callback (benchmarks/gpt_step/) takes
turns with the loops, on windows of the same text. Printed is the median over the turns
of its time over the other's, by the clock and on the processor: the second is the
steadier on a busy machine, and decides. `--mkl` leaves out callback=onednn, which is on
for GPT and acts on AMD's processors. Exit status 1 where a bar is missed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
STEPS = 10  # of a turn
BARS = {"hand-written": 1.02, "nanoGPT": 0.65}
MKL_BARS = {"hand-written": 1.02, "nanoGPT": 0.97}  # where oneDNN is not faster


def turns(nanogpt: Path | None, folder: Path, *, mkl: bool) -> list[list[list[float]]]:
    """Run nnlab; return each turn's seconds, as `comparison.Comparison` says."""
    file = folder / "turns.json"
    callbacks = "throughput,gpt_step" if mkl else "throughput,onednn,gpt_step"
    command = [
        *(sys.executable, "-m", "nnlab", "experiment=shakespeare_char_cpu"),
        *(f"output_dir={folder}", "pictures=0", f"callback=[{callbacks}]"),
        *(f"callback.gpt_step.file={file}", f"callback.gpt_step.chunk_size={STEPS}"),
        *([f"callback.gpt_step.nanogpt={nanogpt}"] if nanogpt else []),
    ]
    # FORCE_COLOR makes rich draw its bar, though nobody looks
    surroundings = {
        "NNLAB_PLUGINS": str(HERE / "gpt_step"),
        "FORCE_COLOR": "1",
        "OMP_NUM_THREADS": "1",
    }
    subprocess.run(
        command, check=True, env=os.environ | surroundings, stdout=subprocess.DEVNULL
    )
    return json.loads(file.read_text())


def main() -> int:
    """Measure, print a line a loop; return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--nanogpt", type=lambda path: Path(path).absolute())
    parser.add_argument("--mkl", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = turns(given.nanogpt, Path(folder), mkl=given.mkl)
    missed = False
    print("against         nnlab ms   loop ms    ratio   on the processor     bar")
    bars = MKL_BARS if given.mkl else BARS
    for place, (name, bar) in enumerate(bars.items(), start=1):
        if place == len(rows[0]):
            break
        ours, loop = (
            statistics.median(row[which][1] for row in rows) * 1e3 / STEPS
            for which in (0, place)
        )
        wall, processor = (
            statistics.median(row[0][clock] / row[place][clock] for row in rows)
            for clock in (0, 1)
        )
        print(
            f"{name:12} {ours:11.1f} {loop:9.1f} {wall:8.3f} {processor:18.3f} "
            f"{bar:7.2f}"
        )
        missed |= processor > bar
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
