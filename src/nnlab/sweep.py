"""A sweep: Hydra chooses jobs, each runs in a process of its own, one table ends it.

A process a job, because a job in the same process inherits what the one before it left:
random state, default types, memory. A job that fails fails alone.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig
from rich.console import Console
from typing_extensions import override

from nnlab.compose import Composer, plain
from nnlab.errors import UserError
from nnlab.folder import RunFolder, write_json
from nnlab.limits import Count
from nnlab.overrides import checked, parse, sample_jobs
from nnlab.report.commands import override_value
from nnlab.report.sweep_table import sweep_table
from nnlab.settings import check_settings
from nnlab.target import check_value

POLL_SECONDS = 0.05
RANKS = (
    "LOCAL_RANK",
    "NODE_RANK",
    "GLOBAL_RANK",
    "WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
)


@dataclass
class Job:
    """One run of a sweep: what it is, how it ended."""

    number: int
    name: str
    overrides: list[str]
    folder: str
    status: str = "waiting"  # running, complete, failed, interrupted, not started
    cause: str | None = None
    metrics: dict[str, float] = field(default_factory=dict[str, float])
    seconds: float = 0.0


def sweep(overrides: list[str], composer: Composer) -> int:
    """Run every job of a sweep; return 0, 1 where one failed, 130 after Ctrl-C.

    Raises:
        UserError: before anything is written.
    """
    for own in ("folder", "resume"):
        if any(override.key_or_group == own for override in parse(overrides)):
            raise UserError(
                f"{own}= is for one run; a sweep's jobs have their own folders"
            )
    plus: set[str] = set()
    for job in sample_jobs(overrides):
        accepted = checked(job, composer)
        plus |= {
            word[1:].partition("=")[0] for word in accepted if word.startswith("+")
        }
        config = plain(composer.compose(accepted))
        check_value(config["sweep"]["workers"], Count, "sweep.workers")
        check_settings(config)
    words = [f"+{w}" if w.partition("=")[0] in plus else w for w in overrides]
    LocalLauncher.finished, LocalLauncher.ended_by = [], None
    composer.multirun(words, LocalLauncher)
    jobs = LocalLauncher.finished
    Console(highlight=False).print(sweep_table([asdict(job) for job in jobs]))
    for job in jobs:
        if job.status != "complete":
            sys.stderr.write(
                f"nnlab: job {job.number} ({job.name}) {job.status}: {job.cause}\n"
            )
    if LocalLauncher.ended_by is not None:
        return 128 + LocalLauncher.ended_by
    return int(any(job.status != "complete" for job in jobs))


class LocalLauncher(Launcher):
    """Runs a sweep's jobs on this machine, `workers` side by side."""

    finished: list[Job]
    ended_by: int | None  # the signal

    def __init__(self, *, workers: int) -> None:
        super().__init__()
        self.workers = workers
        self.folder = Path()
        self.jobs: list[Job] = []
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        self.stopped_by: int | None = None

    @override
    def setup(
        self,
        *,
        hydra_context: HydraContext,
        task_function: TaskFunction,
        config: DictConfig,
    ) -> None:
        self.folder = Path(str(config.hydra.sweep.dir))
        try:
            (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{self.folder} cannot be written: {error.strerror}; give another "
                "output_dir="
            ) from error

    @override
    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        batch = named_jobs(job_overrides, initial_job_idx, self.folder)
        self.jobs += batch
        sys.stdout.write(f"{len(batch)} jobs in {self.folder}\n")
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._stop) for number in numbers}
        try:
            self._run(batch)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        LocalLauncher.finished += batch
        LocalLauncher.ended_by = LocalLauncher.ended_by or self.stopped_by
        return [_returned(job) for job in batch]

    def _run(self, batch: list[Job]) -> None:
        waiting = list(batch)
        while waiting or self.running:
            if self.stopped_by is not None:
                for job in waiting:
                    job.status, job.cause = "not started", "the sweep was stopped"
                waiting = []
            while waiting and len(self.running) < self.workers:
                self._start(waiting.pop(0))
            for job in batch:
                process = self.running.get(job.number)
                if process is not None and process.poll() is not None:
                    del self.running[job.number]
                    self._finish(job, process.returncode)
            time.sleep(POLL_SECONDS)
        self._write()

    def _start(self, job: Job) -> None:
        place = f"folder={override_value(job.folder)}"
        command = [sys.executable, "-m", "nnlab", "train", *job.overrides, place]
        environment = {k: v for k, v in os.environ.items() if k not in RANKS}
        job.status, job.seconds = "running", time.monotonic()
        with self._log(job).open("wb") as log:
            self.running[job.number] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C comes to the jobs through this process
            )
        self._write()

    def _finish(self, job: Job, status: int) -> None:
        job.seconds = round(time.monotonic() - job.seconds, 3)
        folder = RunFolder(Path(job.folder))
        job.metrics = folder.read_json("result.json").get("metrics", {})
        if status == 0:
            job.status = "complete"
        else:
            stopped = status in (128 + signal.SIGINT, 128 + signal.SIGTERM)
            job.status = "interrupted" if stopped else "failed"
            job.cause = self._cause(job, folder, status)
        shown = "  ".join(f"{name} {value:.4g}" for name, value in job.metrics.items())
        done = sum(j.status not in ("waiting", "running") for j in self.jobs)
        sys.stdout.write(
            f"{done}/{len(self.jobs)}  {job.name}  {job.status}  "
            f"{shown or job.cause}  {job.seconds:.1f} s\n"
        )
        sys.stdout.flush()
        self._write()

    def _cause(self, job: Job, folder: RunFolder, status: int) -> str:
        if status < 0:
            name = signal.Signals(-status).name
            return f"killed by {name}; continue it: resume={job.folder}"
        log = self._log(job).read_text(encoding="utf-8", errors="replace")
        lines = log.splitlines()
        said = [line for line in lines if line.startswith("nnlab: ")]
        if said:
            return said[-1].removeprefix("nnlab: ")
        cause = folder.read_json("status.json").get("cause")
        return cause or next(
            (x for x in reversed(lines) if x.strip()), f"exit {status}"
        )

    def _log(self, job: Job) -> Path:
        return self.folder / "logs" / f"{Path(job.folder).name}.txt"

    def _write(self) -> None:
        write_json(self.folder / "sweep.json", {"jobs": [asdict(j) for j in self.jobs]})

    def _stop(self, number: int, frame: FrameType | None) -> None:
        # The first time the jobs are asked to save and end; the second time they end.
        harsh = self.stopped_by is not None
        self.stopped_by = number
        for process in self.running.values():
            process.send_signal(signal.SIGKILL if harsh else number)


def named_jobs(
    job_overrides: Sequence[Sequence[str]], first: int, folder: Path
) -> list[Job]:
    """Return jobs named by the overrides in which they differ from each other."""
    common = set.intersection(*(set(words) for words in job_overrides))
    jobs: list[Job] = []
    for number, words in enumerate(job_overrides, start=first):
        name = " ".join(word for word in words if word not in common) or "the only one"
        safe = "".join(c if c.isalnum() or c in "=._-+" else "," for c in name)[:100]
        jobs.append(Job(number, name, list(words), str(folder / f"{number}_{safe}")))
    return jobs


def _returned(job: Job) -> JobReturn:
    # Complete for Hydra in any case: it would stop at the first failure, and raise.
    returned = JobReturn(overrides=job.overrides, status=JobStatus.COMPLETED)
    returned.return_value = asdict(job)
    return returned
