"""Runs model x data x precision x strategy, a few steps each, and writes the table.

    python scripts/combinations.py            # all, into docs/combinations.md
    python scripts/combinations.py gpt gan    # some models, printed

Each cell is a whole run of its own process on the CPU: trained, validated, saved, its
best weights loaded and tested; ddp and fsdp2 with two processes.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import torch

from nnlab import fit
from nnlab.cli import main as nnlab

PAGE = Path(__file__).parents[1] / "docs/combinations.md"
TINY = (
    *("trainer.max_epochs=1", "+trainer.limit_train_batches=2"),
    *("+trainer.limit_val_batches=2", "+trainer.limit_test_batches=2"),
    *("pictures=0", "logger=[]", "data.batch_size=8", "data.evaluation_batch_size=32"),
)
SHORT_TEXT = ("data.context_size=16", "callback=[]", "model.layers=2")
FEW = ("model.judged=64", "model.judged_in_training=64")
PAIRS: dict[tuple[str, str], tuple[str, ...]] = {
    ("perceptron", "xor"): (),
    ("mlp", "xor"): (),
    ("mlp", "digits"): (),
    ("mlp", "mnist"): (),
    ("lenet5", "digits"): (),
    ("lenet5", "mnist"): (),
    ("autoencoder", "digits"): (),
    ("siamese", "digits_pairs"): (),
    ("gan", "digits"): ("data.mean=0.0", "data.standard_deviation=1.0", *FEW),
    ("recurrent", "adding_problem"): (),
    ("lstm_adder", "addition"): (),
    ("gpt", "pydocs"): SHORT_TEXT,
    ("gpt", "shakespeare"): SHORT_TEXT,
}
PRECISIONS = ("fp32", "tf32", "bf16", "bf16_true", "fp16", "fp64")
FORKED = ("trainer.devices=2", "trainer.strategy.start=fork")
STRATEGIES: dict[str, tuple[str, ...] | None] = {
    "single": (),
    "ddp": FORKED,
    "fsdp2": FORKED,
    "deepspeed": None,  # NVIDIA GPUs
}
GPU_ONLY = "GPU"


class Cell(NamedTuple):
    """One combination, and how its run ended."""

    model: str
    data: str
    precision: str
    strategy: str
    mark: str
    sentence: str


def main(models: Sequence[str]) -> int:
    """Run the cells, all or those of some models; return 1 where one has failed."""
    cells: list[Cell] = []
    for cell in run_all(models):
        cells.append(cell)
        sys.stdout.write(" ".join(cell) + "\n")
        sys.stdout.flush()
    if not models:
        PAGE.write_text(page(cells), encoding="utf-8")
    return int(any(cell.mark == "failed" for cell in cells))


def run_all(models: Sequence[str]) -> Iterator[Cell]:
    """Run each combination that this machine can; mark the others."""
    for (model, data), words in PAIRS.items():
        if models and model not in models:
            continue
        for strategy, more in STRATEGIES.items():
            for precision in PRECISIONS:
                names = (model, data, precision, strategy)
                if more is None or precision == "tf32":
                    yield Cell(*names, GPU_ONLY, "")
                    continue
                chosen = (f"model={model}", f"data={data}", f"precision={precision}")
                command = (*chosen, f"strategy={strategy}", *more, *words, *TINY)
                yield Cell(*names, *run(command))


def run(words: Sequence[str]) -> tuple[str, str]:
    """Run one command in a copy of this process; return its mark and its sentence."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output.txt"
        process = os.fork()
        if process == 0:
            _in_copy(words, folder, output)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        lines = output.read_text(encoding="utf-8").splitlines()
    said = [line for line in lines if line.startswith("nnlab: ")]
    sentence = said[-1].removeprefix("nnlab: ") if said else ""
    sentence = sentence.removesuffix(" (NNLAB_TRACEBACK=1 shows where)")
    marks = {0: "✓", 2: "refused"}
    return marks.get(status, "failed"), sentence if status else ""


def _in_copy(words: Sequence[str], folder: str, output: Path) -> None:
    status = 99
    try:
        os.chdir(folder)
        with output.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        status = nnlab(words)
    finally:
        sys.stdout.flush()
        os._exit(status)


def page(cells: Sequence[Cell]) -> str:
    """Return the page: a row a model, data set and strategy; a column a precision."""
    ran = sum(cell.mark != GPU_ONLY for cell in cells)
    lines = [
        "# What goes with what",
        "",
        f"Made by `python scripts/combinations.py`: {ran} runs of two batches on the",
        "CPU, `ddp` and `fsdp2` of two processes. ✓: trained, saved, loaded, tested.",
        "GPU: needs an NVIDIA GPU, and was not run. A number is a note below.",
        "",
        f"| model | data | strategy | {' | '.join(PRECISIONS)} |",
        f"| --- | --- | --- |{' --- |' * len(PRECISIONS)}",
    ]
    notes: list[str] = []
    for model, data in PAIRS:
        for strategy in STRATEGIES:
            row = (model, data, strategy)
            own = [c for c in cells if (c.model, c.data, c.strategy) == row]
            marks = " | ".join(_marked(cell, notes) for cell in own)
            lines.append(f"| {model} | {data} | {strategy} | {marks} |")
    lines += ["", *(f"{n}. {note}" for n, note in enumerate(notes, start=1)), ""]
    return "\n".join(lines)


def _marked(cell: Cell, notes: list[str]) -> str:
    if not cell.sentence:
        return cell.mark
    if cell.sentence not in notes:
        notes.append(cell.sentence)
    return f"{cell.mark} {notes.index(cell.sentence) + 1}"


def _draw_nothing(*_: object) -> dict[str, Path]:
    return {}


if __name__ == "__main__":
    torch.set_num_threads(1)
    for module in ("nnlab.compose", "sklearn.datasets"):
        import_module(module)  # once, for all the copies
    # Pictures are most of a short run's time, and no part of what is shown here.
    fit.draw = fit.write_page = _draw_nothing
    started = time.monotonic()
    status = main(sys.argv[1:])
    sys.stdout.write(f"{time.monotonic() - started:.0f} s\n")
    sys.exit(status)
