"""Checkpoints: killed while they are written, a bit flipped, no space left."""

import os
import random
import resource
import signal
import tempfile
import time
from pathlib import Path

import torch

from nnlab.checkpoint import AtomicCheckpointIO, read_checkpoint
from nnlab.cli import main
from nnlab.errors import UserError
from reliability.bits import differences
from reliability.forked import Ended, ended_fork
from reliability.models import QUIET, XOR
from reliability.row import Bench

VALUES = 500_000  # of 4 bytes: a save takes some milliseconds


def kills_while_saving(bench: Bench, times: int) -> list[str]:
    """Kill a process that saves one checkpoint after the other; half on each disk."""
    lines: list[str] = []
    places = (bench.folder, bench.disk)
    for trial in range(times):
        target, temporary = places[trial % 2], places[1 - trial % 2]
        lines.append(_kill_while_saving(target / "saves", temporary, bench.draw))
    return lines


def _content(number: int) -> dict[str, object]:
    weight = torch.full((VALUES,), float(number))
    return {"state_dict": {"weight": weight}, "nnlab": {"number": number}}


def _kill_while_saving(folder: Path, temporary: Path, draw: random.Random) -> str:
    file = folder / "last.ckpt"
    process = os.fork()
    if process == 0:
        try:
            tempfile.tempdir = str(temporary)  # where careless writers write first
            for number in range(10_000):
                AtomicCheckpointIO().save_checkpoint(_content(number), file)
        finally:
            os._exit(1)
    while not file.exists():
        time.sleep(0.001)
    time.sleep(draw.uniform(0, 0.2))
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    try:
        content = read_checkpoint(file)
    except UserError as error:
        return str(error)
    weight, number = content["state_dict"]["weight"], content["nnlab"]["number"]
    return "" if (weight == number).all() else f"{file} is of two saves"


def flipped_bits(bench: Bench, times: int) -> list[str]:
    """Flip one bit of a real run's checkpoint: it is refused, or means the same."""
    place = bench.folder / "flipped"
    bench.lives.run(*XOR, *QUIET, "data.repeats=5", f"folder={place}")
    file = place / "checkpoints/last.ckpt"
    sound, content = file.read_bytes(), read_checkpoint(file)
    lines: list[str] = []
    for _ in range(times):
        bit = bench.draw.randrange(8 * len(sound))
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        try:
            found = differences(content, read_checkpoint(file))
        except UserError:
            found = []
        lines.append(f"bit {bit} changes {found[0]}" if found else "")
    return lines


def no_space(bench: Bench, times: int) -> list[str]:
    """Let the space for a file end within a save: the checkpoint before is left."""
    place = bench.folder / "full"
    short = (*XOR, *QUIET, "data.repeats=5", "trainer.max_epochs=1")
    bench.lives.run(*short, f"folder={place}")
    file = place / "checkpoints/last.ckpt"
    before = file.read_bytes()
    longer = (f"resume={place}", "trainer.max_epochs=2", "checkpoint_seconds=0")
    lines: list[str] = []
    for _ in range(times):
        # What else a run writes is smaller than half a checkpoint.
        limit = bench.draw.randrange(len(before) // 2, len(before) - 1)
        ended = ended_fork(lambda limit=limit: _with_space(limit, longer), bench.folder)
        lines.append(_after_no_space(ended, file, before))
    return lines


def _with_space(limit: int, words: tuple[str, ...]) -> int:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return main(words)


def _after_no_space(ended: Ended, file: Path, before: bytes) -> str:
    said = "nnlab: no space is left" in ended.errors
    if ended.status != 1 or ended.errors.count("\n") != 1 or not said:
        return f"ended with {ended.status}: {ended.errors[-1500:]}"
    if file.read_bytes() != before:
        return "the checkpoint before is another"
    left = [part.name for part in file.parent.glob("*.part")]
    return f"{left} is left" if left else ""
