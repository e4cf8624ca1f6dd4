"""A step's time with `regularizer=none`, against a run that finds no plugin at all.

    python benchmarks/regularizer_off.py

Both train the same MLP in one process, in turns; what is timed is the fit, on the
processor, and its least time counts, because others slow a busy machine down and nobody
speeds it up. Beside it stand two runs without plugins: what cannot be told apart. Exit
status 1 where none costs over 2 % more than the better of them.
"""

import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

import torch
from lightning import Trainer

from nnlab.cli import main as nnlab

TURNS = 12
BAR = 1.02
NO_PLUGINS = {
    "NNLAB_DISABLE": "regularizer,callback,strategy",
    "NNLAB_PLUGINS_AUTOLOAD": "0",
}
SETTINGS = (
    *("model=mlp", "data=digits", "model.hidden_sizes=[300]", "data.batch_size=32"),
    *("trainer.max_epochs=5", "callback=[]", "pictures=0", "logger=[]"),
)
seconds = [0.0]
fit = Trainer.fit


def timed_fit(trainer: Trainer, *arguments: object, **settings: object) -> None:
    """Fit as ever, and note the processor's time."""
    before = time.process_time()
    fit(trainer, *arguments, **settings)
    seconds[0] = time.process_time() - before


def run(word: str, surroundings: dict[str, str], folder: Path) -> float:
    """Run nnlab once; return the microseconds of a step."""
    os.environ.update(surroundings)
    with contextlib.redirect_stdout(io.StringIO()):
        status = nnlab([*SETTINGS, word, f"folder={folder}"])
    for name in surroundings:
        del os.environ[name]
    assert status == 0
    steps = 5 * -(-1257 // 32)  # the digits that are trained on
    return seconds[0] * 1e6 / steps


def main() -> int:
    """Measure, print a line a run; return the exit status."""
    torch.set_num_threads(1)
    Trainer.fit = timed_fit
    rows: list[tuple[float, float, float]] = []
    with tempfile.TemporaryDirectory() as place:
        for turn in range(TURNS + 1):
            folder = Path(place) / str(turn)
            rows.append(
                (
                    run("regularizer=[]", NO_PLUGINS, folder / "bare"),
                    run("regularizer=none", {}, folder / "none"),
                    run("regularizer=[]", NO_PLUGINS, folder / "again"),
                )
            )
    rows = rows[1:]  # the first warms up
    bare, none, again = (min(row[i] for row in rows) for i in range(3))
    ratio, noise = none / min(bare, again), max(bare, again) / min(bare, again)
    print(f"no plugins       {bare:7.1f} us a step")
    print(f"regularizer=none {none:7.1f} us a step   ratio {ratio:.3f}   bar {BAR}")
    print(f"no plugins again {again:7.1f} us a step   ratio {noise:.3f}")
    return int(ratio > BAR)


if __name__ == "__main__":
    sys.exit(main())
