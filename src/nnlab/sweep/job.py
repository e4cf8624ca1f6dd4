"""One run of a sweep: what it is, where it lies, how far it is."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["waiting", "running", "complete", "failed", "interrupted", "pruned"]

# What says how a sweep goes about its jobs, and nothing of the jobs themselves.
OURS = ("sweep", "hydra", "output_dir")


@dataclass
class Job:
    """A row of the ledger; `nnlab.sweep` says what each value means."""

    number: int
    overrides: list[str]
    folder: str
    name: str = ""
    status: Status = "waiting"
    cause: str | None = None
    attempts: int = 0
    seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def is_over(self) -> bool:
        return self.status not in ("waiting", "running")

    def is_to_do(self, *, retry_failed: bool) -> bool:
        """Tell whether the sweep has this job before it."""
        if self.status in ("complete", "pruned"):
            return False
        return self.status != "failed" or retry_failed


def key_of(word: str) -> str:
    """Return what an override sets: `seed` of `+seed=1`."""
    return word.lstrip("+~").partition("=")[0]


def own_words(words: Iterable[str]) -> list[str]:
    """Return the overrides that make a job what it is: without the sweep's own."""
    return [word for word in words if key_of(word).split(".")[0] not in OURS[:1]]


def job_words(words: Iterable[str]) -> list[str]:
    """Return the overrides without those that say where and how jobs are run."""
    return [word for word in own_words(words) if not key_of(word).startswith("hydra")]


def identity(words: Iterable[str]) -> str:
    """Return a job's hash: of its overrides, in whatever order, wherever they write."""
    told = [w.lstrip("+") for w in words if key_of(w).split(".")[0] not in OURS]
    return hashlib.sha256(json.dumps(sorted(told)).encode()).hexdigest()[:16]


def name_jobs(jobs: Sequence[Job]) -> None:
    """Name jobs by the overrides in which they differ from each other."""
    if not jobs:
        return
    common = set.intersection(*(set(job.overrides) for job in jobs))
    for job in jobs:
        differing = [word for word in job.overrides if word not in common]
        job.name = " ".join(differing) or "the only one"


def folder_name(number: int, name: str) -> str:
    """Return a job's folder in the sweep's: short, and in no other folder."""
    safe = re.sub(r"[^\w.+-]+", "_", name.replace("=", "-"))  # as a shell likes it
    return f"{number}_{safe[:100].strip('_')}"
