"""The page of the scorecard: docs/reliability.md."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import lightning
import torch

from reliability.row import Row

TOP = """# Reliability

What nnlab promises, tried: written by `python tests/scorecard.py`, which anybody can
run; it ends with 1 where a row fails. Every choice of a moment, a bit or a process is
drawn from a seed, `--seed`; moments are moments of a clock, so no two runs are alike.

{facts}

| promise | held | how it was tried | seconds |
| --- | --- | --- | --- |
{rows}
{faults}"""
BOTTOM = """
## How

- A run that is killed is a process of its own, and gets a real SIGKILL. It is no new
  interpreter but a fork of one that has imported torch, as a sweep's jobs are
  (`nnlab.sweep.server`): that saves four seconds a life. Its command line is parsed,
  its config composed and checked as ever. Two things are left out: the pictures that
  are drawn once all is over, and the report's page.
- The moment of a kill is drawn from a clock: it may fall into the start, a step, a
  validation, a save or the test. A run is killed up to five times, and each next life
  begins with `resume=<folder>`; what ends before its kill is not counted.
- "No bit" compares `last.ckpt` and `best.ckpt` with those of a run that was never
  killed: weights, optimizers, schedules, loops, callbacks, each bit of each tensor; and
  `metrics.jsonl` and `result.json`, all but the seconds that it took.
- Killed processes do not lose what the kernel holds for them: this does not try a loss
  of power. For that a checkpoint and its folder are `fsync`ed before it counts.
- No space left is a limit on a file's size (RLIMIT_FSIZE), not a full disk.
- Several machines, GPUs and network file systems are not tried here.
"""


def page(rows: Sequence[Row], seed: int, seconds: float, computed: float) -> str:
    """Return the page as Markdown.

    Args:
        rows: of the table.
        seed: of all that was drawn.
        seconds: by the clock.
        computed: seconds of the processor, all processes together.
    """
    facts = (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}, seed {seed}; "
        f"{seconds / 60:.1f} minutes on {os.cpu_count()} CPU cores, "
        f"{computed / 60:.1f} of them computed, two checks at a time. "
        f"Python {platform.python_version()}, torch {torch.__version__}, "
        f"lightning {lightning.__version__}, {platform.system()}."
    )
    lines = "\n".join(line_of(row) for row in rows)
    return TOP.format(facts=facts, rows=lines, faults=_faults(rows)) + BOTTOM


def line_of(row: Row) -> str:
    """Return a row of the table."""
    held = row.count if row.is_met else f"**{row.count}**"
    how = row.check.how
    return f"| {row.check.promise} | {held} | {how} | {row.seconds:.0f} |"


def commit() -> str:
    """Return the commit's short name, with a + where the files are not those of it."""
    here = Path(__file__).parent
    words = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    said = subprocess.run(words, cwd=here, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"


def _faults(rows: Sequence[Row]) -> str:
    found = [(row, line) for row in rows for line in row.lines if line]
    if not found:
        return ""
    told = [
        f"- {row.check.promise}: {' '.join(line.split())}" for row, line in found[:20]
    ]
    return "\n## What failed\n\n" + "\n".join(told) + "\n"
