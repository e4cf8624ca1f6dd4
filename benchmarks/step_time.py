"""nnlab's time a step, against a hand-written PyTorch loop in the same process.

    python benchmarks/step_time.py [lenet5 gan ...]

Each network is trained as a user trains it, with the log, TensorBoard and the progress
bar on; a callback (benchmarks/step_time/) takes turns with the loop. Printed is the
median over the turns of one's time over the other's, by the clock and on the processor:
the second is the steadier on a busy machine. Exit status 1 where a bar is missed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
STEPS = 50  # of a turn
BARS = {
    **{"mlp": 1.40, "lenet5": 1.10},
    **dict.fromkeys(("lstm_adder", "siamese", "autoencoder", "gan"), 1.10),
}
NOISE = "data=random_images"
SETTINGS = {
    "mlp": [NOISE, "model.hidden_sizes=[300]", "model.activation=tanh"],
    "lenet5": [NOISE, "model.variant=modern", "callback.step_time.chunks=12"],
    "lstm_adder": ["data.train_pairs=30000", "data.validation_pairs=1000"],
    "siamese": ["data=digits_pairs", "data.repeats=40", "data.batch_size=128"],
    "autoencoder": ["data=digits", "data.repeats=80"],
    "gan": ["data=digits", "data.repeats=60", "callback.step_time.chunks=12"],
}


def turns(network: str, folder: Path) -> list[list[float]]:
    """Run nnlab; return the seconds of each turn, as `comparison.Turn` orders them."""
    file = folder / f"{network}.json"
    command = [
        *(sys.executable, "-m", "nnlab", f"model={network}"),
        *("optimizer=adam", "optimizer.lr=1e-3", "schedule=constant"),
        *("trainer=cpu", "trainer.max_epochs=100", f"output_dir={folder}"),
        *("callback=step_time", f"callback.step_time.network={network}"),
        *(f"callback.step_time.chunk_size={STEPS}", f"callback.step_time.file={file}"),
        *SETTINGS[network],
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
    """Measure, print a line a network; return the exit status."""
    missed = False
    print("network       nnlab us   loop us   ratio     bar   on the processor")
    with tempfile.TemporaryDirectory() as folder:
        for network in sys.argv[1:] or BARS:
            bar = BARS[network]
            rows = turns(network, Path(folder))
            ours, loop = (
                statistics.median(row[column] for row in rows) * 1e6 / STEPS
                for column in (0, 1)
            )
            ratio = statistics.median(row[0] / row[1] for row in rows)
            processor = statistics.median(row[2] / row[3] for row in rows)
            print(
                f"{network:12} {ours:9.0f} {loop:9.0f} {ratio:7.3f} {bar:7.2f} "
                f"{processor:7.3f}"
            )
            missed |= ratio > bar
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
