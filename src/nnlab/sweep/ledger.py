"""The ledger: which jobs a sweep has, and how far each is; outlives any kill.

What a job's folder says of a finished run goes before what the ledger says: a kill may
come between the two.
"""

import json
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self, cast

from nnlab.errors import UserError
from nnlab.folder import RunFolder
from nnlab.report.mask import masked_override
from nnlab.sweep.job import Job, folder_name, identity, job_words, name_jobs, own_words

FILE = "sweep.json"
# A ledger of thousands of jobs takes its time to write: spend no more than a twentieth
# of the sweep on it, and lose no more than what the jobs' folders tell again.
PATIENCE = 20


class Ledger:
    """A sweep's jobs by the hash of their overrides, in `sweep.json`.

    Args:
        folder: the sweep's.
        command: the words that it was started with.
    """

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self.folder = folder
        self.command = [masked_override(word) for word in job_words(command)]
        self.status = "running"
        self.jobs: dict[str, Job] = {}
        self.words: dict[int, list[str]] = {}  # by number; never written, for secrets
        self.planned = 0  # jobs that a search will have, of which it knows few yet
        self._write_after = 0.0

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the ledger of a sweep that was; an empty one where there is none.

        Raises:
            UserError: where the file is not what a sweep writes.
        """
        file = folder / FILE
        try:
            content = json.loads(file.read_bytes()) if file.is_file() else {}
            ledger = cls(folder, content.get("command", []))
            ledger.status = content.get("status", "waiting")
            rows = cast("dict[str, dict[str, Any]]", content.get("jobs", {}))
            ledger.jobs = {key: Job(**row) for key, row in rows.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            reason = str(error).partition("\n")[0]
            raise UserError(
                f"{file} cannot be read ({reason}); take another sweep.name"
            ) from error
        return ledger

    def enrol(self, job_overrides: Iterable[Sequence[str]]) -> list[Job]:
        """Return the jobs with these overrides, in this order, new ones added."""
        before = set(self.jobs)
        asked = {identity(words): own_words(words) for words in job_overrides}
        for key, words in asked.items():
            shown = [masked_override(word) for word in words]
            if key not in self.jobs:
                self.jobs[key] = Job(number=len(self.jobs), overrides=shown, folder="")
            self.words[self.jobs[key].number] = words
        jobs = list(self.jobs.values())
        name_jobs(jobs)
        for job in jobs:
            job.folder = job.folder or folder_name(job.number, job.name)
        for key in before & set(asked):
            self._look_at(self.jobs[key])
        return [self.jobs[key] for key in asked]

    def path(self, job: Job) -> Path:
        """Return the folder of a job's run."""
        return self.folder / job.folder

    def log(self, job: Job) -> Path:
        """Return the file with what a job printed."""
        return self.folder / "logs" / f"{job.folder}.txt"

    def take_result(self, job: Job) -> None:
        """Read what a job's run has measured."""
        content = RunFolder(self.path(job)).read_json("result.json")
        job.metrics = content.get("metrics", {})

    def _look_at(self, job: Job) -> None:
        """Bring a job's row to what its folder says, after a kill of the sweep."""
        run = RunFolder(self.path(job))
        found = run.read_json("status.json")
        if job.status == "running":  # nobody was there to note how long
            job.seconds = round(job.seconds + _seconds_seen(run.path), 3)
        if found.get("status") == "complete":
            job.status, job.cause = "complete", None
            self.take_result(job)
            if not (run.path / "report.html").is_file():
                from nnlab.report.page import write_page  # and matplotlib

                write_page(run.path)  # the kill came between the two
        elif job.status == "complete":
            job.status, job.metrics = "waiting", {}  # somebody has removed it
        elif job.status == "running":
            failed = found.get("status") == "failed"
            job.status = "failed" if failed else "interrupted"
            job.cause = found.get("cause") if failed else "the sweep was killed"

    def continues(self, job: Job) -> bool:
        """Tell whether a job goes on from its checkpoint; else clear its place.

        A run that failed by itself begins anew: what failed may have been mended.
        """
        path = self.path(job)
        failed = RunFolder(path).read_json("status.json").get("status") == "failed"
        is_begun = (path / "config.yaml").is_file()
        if is_begun and not failed and (path / "checkpoints/last.ckpt").is_file():
            return True
        if path.is_dir():
            shutil.rmtree(path)
        return False

    def save(self, *, at_once: bool = False) -> None:
        """Write the ledger whole; now and then where it is written all the time."""
        now = time.monotonic()
        if now < self._write_after and not at_once:
            return
        content = {
            "name": self.folder.name,
            "command": self.command,
            "status": self.status,
            "jobs": {key: asdict(job) for key, job in self.jobs.items()},
        }
        part = self.folder / f"{FILE}.part"
        with part.open("w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / FILE)
        self._write_after = now + PATIENCE * (time.monotonic() - now)


def _seconds_seen(run: Path) -> float:
    """Return from when a run was begun, or taken up, to the last it wrote; about."""
    begun = run / "config.yaml"
    if not begun.is_file():
        return 0.0
    written = [file.stat().st_mtime for file in run.rglob("*") if file.is_file()]
    return max(written) - begun.stat().st_mtime
