"""kill -9 at random moments: the run goes on to the bits of one never killed."""

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from nnlab.sweep.job import Job
from reliability.bits import run_differences
from reliability.bits import status as status_of
from reliability.lives import Lives, wait_for

KILLS_A_RUN = 5
LIFE = 0.4  # of the time of an undisturbed run, at most: a run has several


# Ends a run's process at this moment; returns what went wrong with that.
Strike = Callable[[Path, Job, Lives, random.Random], str]


def kill_it(place: Path, job: Job, lives: Lives, draw: random.Random) -> str:
    """Kill -9."""
    lives.signal(job, signal.SIGKILL)
    return ""


def killed_runs(
    words: tuple[str, ...],
    kills: int,
    folder: Path,
    lives: Lives,
    draw: random.Random,
    strike: Strike = kill_it,
    measured: tuple[str, ...] = (),
) -> list[str]:
    """Kill runs of a model, several times each, and continue them to their end.

    Returns a line for each kill: empty where it cost no bit.
    """
    folder.mkdir(parents=True)
    started = time.monotonic()
    calm = folder / "calm"
    if lives.run(*words, f"folder={calm}"):
        return [f"the run fails undisturbed: {lives.said[-300:]}"]
    seconds = time.monotonic() - started
    lines: list[str] = []
    for number in count():
        if len(lines) >= kills:
            return lines
        place = folder / f"killed{number}"
        wanted = min(KILLS_A_RUN, kills - len(lines))
        run = Run(words, place, seconds, lives, draw, strike)
        fault = run.live(wanted)
        fault = fault or ", ".join(run_differences(calm, place, measured)[:3])
        lines += [fault and f"{place.name}: {fault}"] * max(run.kills, bool(fault))
    raise AssertionError


@dataclass
class Run:
    """One run that dies several times; `seconds` is how long it takes undisturbed."""

    words: tuple[str, ...]
    place: Path
    seconds: float
    lives: Lives
    draw: random.Random
    strike: Strike
    kills: int = 0

    def live(self, kills: int) -> str:
        """Kill it so many times, unless it is over before; return what went wrong."""
        command = (*self.words, f"folder={self.place}")
        while self.kills < kills:
            job = self.lives.begin(*command)
            command = (f"resume={self.place}",)
            if not self.kills:
                wait_for(self.place / "environment.json")
            moment = self.draw.uniform(0, LIFE * self.seconds)
            status = self.lives.end_of(job, moment)
            if status is None:
                fault = self.strike(self.place, job, self.lives, self.draw)
                if fault:
                    return fault
                self.kills += 1
            elif status == 0:
                return ""
            else:
                return self.lives.said[-300:]
        if status_of(self.place) == "complete":
            return ""
        return self.lives.said[-300:] if self.lives.run(*command) else ""
