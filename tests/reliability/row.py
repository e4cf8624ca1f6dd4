"""A row of the scorecard: what is promised, how it was tried, how often it held."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reliability.lives import Lives


@dataclass(frozen=True)
class Bench:
    """What a check works with.

    Attributes:
        lives: starts commands.
        folder: an empty one, for this check alone.
        draw: every choice that is left to chance.
        disk: a folder on a disk, where `folder` is in memory.
    """

    lives: Lives
    folder: Path
    draw: random.Random
    disk: Path


# Tries something so many times; returns a line each: empty where it went well.
Trials = Callable[[Bench, int], list[str]]


@dataclass(frozen=True)
class Check:
    """A promise, and how it is tried."""

    promise: str
    how: str
    times: int
    trials: Trials


@dataclass(frozen=True)
class Row:
    """How a check ended."""

    check: Check
    lines: list[str]
    seconds: float

    @property
    def good(self) -> int:
        return sum(not line for line in self.lines)

    @property
    def is_met(self) -> bool:
        return bool(self.lines) and self.good == len(self.lines)

    @property
    def count(self) -> str:
        return f"{self.good:,}/{len(self.lines):,}"
