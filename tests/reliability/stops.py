"""Runs that are asked to stop, and runs whose loss is no number."""

import json
import signal
import time
from itertools import count
from pathlib import Path

import torch

from reliability.bits import run_differences, status
from reliability.groups import GROUP, left_over
from reliability.lives import children, holder, wait_for
from reliability.models import MODELS, QUIET, without
from reliability.row import Bench

SECONDS = 10.0  # from a signal to the end, at most
# Nothing is saved but for the signal; longer, as nothing is saved.
CALM = ("checkpoint_seconds=1000", "trainer.max_epochs=12")
ALONE = (*without(MODELS[0].words, CALM), *QUIET, *CALM)
TOGETHER = (*without(GROUP, CALM), *CALM)


def signals(bench: Bench, times: int) -> list[str]:
    """SIGTERM and SIGINT in turn, to one process and to a group of two in turn."""
    calm: dict[tuple[str, ...], tuple[Path, float]] = {}
    for words in (ALONE, TOGETHER)[:times]:
        place = bench.folder / f"calm{len(calm)}"
        started = time.monotonic()
        bench.lives.run(*words, f"folder={place}")
        calm[words] = place, time.monotonic() - started
    lines: list[str] = []
    for trial in range(times):
        words = (ALONE, TOGETHER)[trial % 2]
        number = (signal.SIGTERM, signal.SIGINT)[trial // 2 % 2]
        place, seconds = calm[words]
        for attempt in count():
            stopped = bench.folder / f"stopped{trial}_{attempt}"
            fault = _stop(bench, words, number, stopped, seconds)
            if fault is not None:  # else it was over before the signal
                break
        lines.append(fault or ", ".join(run_differences(place, stopped)[:3]))
    return lines


def _stop(
    bench: Bench, words: tuple[str, ...], number: int, place: Path, seconds: float
) -> str | None:
    """Stop a run at a random moment, then continue it; return what went wrong.

    None: it was over before that moment.
    """
    job = bench.lives.begin(*words, f"folder={place}")
    wait_for(place / "environment.json")
    early = bench.lives.end_of(job, bench.draw.uniform(0, 0.5 * seconds))
    if early is not None:
        return bench.lives.said[-300:] if early else None
    ranks, asked = children(holder(place)), time.monotonic()
    ended = bench.lives.signal(job, number)
    if time.monotonic() - asked > SECONDS:
        return f"ended {time.monotonic() - asked:.1f} s after {number}"
    if status(place) == "complete":
        return None  # what is left of its process is its end
    if ended != 128 + number or status(place) != "interrupted":
        return f"ended with {ended} after {number}: {bench.lives.said[-300:]}"
    said = left_over(ranks)
    return said or bench.lives.said[-300:] * bool(bench.lives.run(f"resume={place}"))


def requeued(bench: Bench, times: int) -> list[str]:
    """SIGUSR1, as Slurm sends it: saved, and scontrol is asked to start it again."""
    commands = bench.folder / "bin"
    commands.mkdir()
    asked = bench.folder / "asked"
    scontrol = commands / "scontrol"
    scontrol.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    scontrol.chmod(0o755)
    given = {"SLURM_JOB_ID": "4711", "PATH": f"{commands}:/usr/bin:/bin"}
    lines: list[str] = []
    for trial in count():
        if len(lines) == times:
            break
        words = (ALONE, TOGETHER)[trial % 2]
        place = bench.folder / f"requeued{trial}"
        asked.write_text("")
        job = bench.lives.begin(*words, f"folder={place}", environment=given)
        wait_for(place / "environment.json")
        time.sleep(bench.draw.uniform(0, 0.5))
        ended = bench.lives.signal(job, signal.SIGUSR1)
        if status(place) == "complete":  # it was over before
            continue
        good = ended == 128 + signal.SIGUSR1 and asked.read_text() == "requeue 4711\n"
        good = good and bench.lives.run(f"resume={place}") == 0
        lines.append("" if good else f"{ended} {asked.read_text()} {bench.lives.said}")
    return lines


def bad_losses(bench: Bench, times: int) -> list[str]:
    """Train on data with one batch that is no number: the run ends at its step."""
    lines: list[str] = []
    for trial in range(times):
        place, batch = bench.folder / f"bad{trial}", bench.draw.randint(2, 20)
        value = ("infinite", "no_number")[trial % 2]
        ended = bench.lives.run(
            *("model=mlp", "data=poisoned", f"data.bad_batch={batch}", *QUIET),
            *(f"data.bad_value={value}", "checkpoint_seconds=0", f"folder={place}"),
        )
        lines.append(_after_bad_loss(ended, batch, place, bench.lives.said))
    return lines


def _after_bad_loss(ended: int, batch: int, place: Path, said: str) -> str:
    cause = json.loads((place / "status.json").read_text())["cause"]
    if ended != 1 or f"at step {batch} " not in cause:
        return f"ended with {ended}, batch {batch}: {said[-300:]}"
    kept = torch.load(place / "checkpoints/last.ckpt", weights_only=True)
    weights = kept["state_dict"].values()
    if kept["global_step"] != batch - 1 or not all(w.isfinite().all() for w in weights):
        return f"step {kept['global_step']} is kept, or is not finite"
    return ""
