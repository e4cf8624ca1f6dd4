"""nnlab's time a step, against a hand-written PyTorch loop in the same process.

    python benchmarks/step_time.py [xor gan ...]

Each network is trained as a user trains it, with the log, TensorBoard and the progress
bar on; a callback (benchmarks/step_time/) takes turns with the loop. Printed is the
median over the turns of one's time over the other's, by the clock and on the processor,
with the second's quarters: it is the steadier on a busy machine, and decides. Exit
status 1 where a bar is missed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
STEPS = 50  # of a turn
NOISE = ("data=random_images", "data.batch_size=64")
MLP = (*NOISE, "model.hidden_sizes=[300]", "model.activation=tanh")
LENET5 = (*NOISE, "model.variant=modern")
XOR = ("model=mlp", "data=xor", "data.repeats=400")


class Case(NamedTuple):
    """What is trained, beside which loop, and how much longer a step may take."""

    network: str
    loader: str
    bar: float
    words: tuple[str, ...]
    turns: int = 30

    @property
    def name(self) -> str:
        return self.network + (", DataLoader" if self.loader == "torch" else "")


CASES = (
    Case("xor", "memory", 1.5, XOR),
    Case("mlp", "memory", 1.15, MLP),
    Case("lenet5", "memory", 1.05, LENET5, 15),
    Case("lstm_adder", "memory", 1.10, ("data.train_pairs=30000",), 25),
    Case("siamese", "memory", 1.10, ("data=digits_pairs", "data.repeats=40"), 12),
    Case("autoencoder", "memory", 1.10, ("data=digits", "data.repeats=80"), 12),
    Case("gan", "memory", 1.05, ("data=digits", "data.repeats=60"), 12),
    Case("xor", "torch", 0.5, XOR),
    Case("mlp", "torch", 0.65, MLP, 12),
    Case("lenet5", "torch", 0.65, LENET5, 12),
)


class Measured(NamedTuple):
    """Microseconds a step, and one's over the other's: the median and its quarters."""

    ours: float
    loops: float
    wall: float
    low: float
    ratio: float
    high: float


def measure(case: Case, turns: int | None = None) -> Measured:
    """Run nnlab in turns with the loop."""
    with tempfile.TemporaryDirectory() as folder:
        rows = _turns(case, turns or case.turns, Path(folder))
    ours, loops = (
        statistics.median(row[column] for row in rows) * 1e6 / STEPS
        for column in (2, 3)
    )
    wall = statistics.median(row[0] / row[1] for row in rows)
    quarters = statistics.quantiles([row[2] / row[3] for row in rows], n=4)
    return Measured(ours, loops, wall, *quarters)


def _turns(case: Case, turns: int, folder: Path) -> list[list[float]]:
    """Return the seconds of each turn, as `comparison.Turn` orders them."""
    file = folder / "turns.json"
    model = (
        () if any(word.startswith("model=") for word in case.words) else case.network
    )
    command = [
        *(sys.executable, "-m", "nnlab", *([f"model={model}"] if model else [])),
        *("optimizer=adam", "optimizer.lr=1e-3", "schedule=constant"),
        *("trainer=cpu", "trainer.max_epochs=100", f"output_dir={folder}"),
        *("callback=step_time", f"callback.step_time.network={case.network}"),
        f"callback.step_time.loader={case.loader}",
        f"callback.step_time.chunks={turns}",
        *(f"callback.step_time.chunk_size={STEPS}", f"callback.step_time.file={file}"),
        *case.words,
    ]
    # FORCE_COLOR makes rich draw its bar, though nobody looks. glibc keeps what it has:
    # else LeNet-5's activations come and go by page faults, 1 to 4 ms a step, for one
    # or the other of the two as the heap happens to lie.
    surroundings = {
        "MALLOC_TRIM_THRESHOLD_": str(2**30),
        "MALLOC_MMAP_THRESHOLD_": str(2**25),
        "NNLAB_PLUGINS": str(HERE / "step_time"),
        "FORCE_COLOR": "1",
        "OMP_NUM_THREADS": "1",
    }
    subprocess.run(
        command, check=True, env=os.environ | surroundings, stdout=subprocess.DEVNULL
    )
    return json.loads(file.read_text())


def main() -> int:
    """Measure, print a line a case; return the exit status."""
    missed = False
    print("network              nnlab us   loop us   ratio  quarters       bar  wall")
    for case in CASES:
        if sys.argv[1:] and case.network not in sys.argv[1:]:
            continue
        got = measure(case)
        print(
            f"{case.name:20} {got.ours:8.0f} {got.loops:9.0f} {got.ratio:7.3f}  "
            f"{got.low:.3f}-{got.high:.3f} {case.bar:7.2f} {got.wall:6.3f}"
        )
        missed |= got.ratio > case.bar
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
