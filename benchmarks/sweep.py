"""What a sweep costs around its training: overhead, memory, a second worker.

    python benchmarks/sweep.py [--jobs 200] [--turns 3]

Many short runs of an MLP on XOR, with all that a run writes: the seconds of a job that
are not training (its process's, less the fit's), a job's whole time on the processor,
which is the steadier on a busy machine, and how much the memory and the open files of
the sweep's two processes grow from the tenth job to the last. Then six longer runs by
one worker and by two, in turns, from the first job's start. Exit status 1 where a bar
is missed. Reads /proc, so Linux only.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

OVERHEAD, MEMORY, SPEEDUP = 1.5, 0.3, 1.7  # seconds a job, MB a job, times
SHORT = ("trainer.max_epochs=2", "data.repeats=5")
LONG = ("trainer.max_epochs=20", "data.repeats=500", "pictures=0", "logger=[]")


def sweep(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "nnlab", "-m", *words, f"output_dir={folder}"]
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=surroundings
    )


class State(NamedTuple):
    """Of a process: MB that it holds, shared or not, open files, its jobs' seconds."""

    memory: float
    files: int
    job_seconds: float

    @classmethod
    def of(cls, process: int) -> Self:
        root = Path(f"/proc/{process}")
        lines = (root / "status").read_text().splitlines()
        [size] = [int(line.split()[1]) for line in lines if line.startswith("VmRSS")]
        fields = (root / "stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[13]) + int(fields[14])  # of the children that have ended
        files = len(list((root / "fd").iterdir()))
        return cls(size / 1024, files, ticks / os.sysconf("SC_CLK_TCK"))


def children(process: int) -> list[int]:
    file = Path(f"/proc/{process}/task/{process}/children")
    return [int(word) for word in file.read_text().split()]


def results(folder: Path) -> Iterator[tuple[float, float]]:
    """Yield each job's seconds, in all and of training."""
    [file] = folder.glob("sweep/*/sweep.json")
    for job in json.loads(file.read_text())["jobs"].values():
        assert job["status"] == "complete", job
        result = json.loads((file.parent / job["folder"] / "result.json").read_text())
        yield job["seconds"], result["seconds"]


def many(jobs: int, folder: Path) -> dict[str, float]:
    """Run many short jobs; return what they cost."""
    process = sweep(folder, f"seed=range(0,{jobs})", *SHORT, "sweep.workers=1")
    moments: list[float] = []
    parent: list[State] = []
    server: list[State] = []
    assert process.stdout is not None
    for line in process.stdout:
        if "  complete  " in line:
            moments.append(time.monotonic())
            with suppress(OSError, ValueError, IndexError):  # after the last, gone
                both = State.of(process.pid), State.of(children(process.pid)[0])
                parent.append(both[0])
                server.append(both[1])
    assert process.wait() == 0
    times = list(results(folder))
    training = statistics.mean(seconds for _, seconds in times)
    count = len(server) - 10
    return {
        "overhead": statistics.median(whole - fit for whole, fit in times),
        "between": (moments[-1] - moments[0]) / (jobs - 1) - training,
        "processor": (server[-1].job_seconds - server[9].job_seconds) / count,
        "parent": (parent[-1].memory - parent[9].memory) / count,
        "server": (server[-1].memory - server[9].memory) / count,
        # the least of a few: one may be at the moment of writing its ledger
        "files": sum(
            min(s.files for s in states[-5:]) - min(s.files for s in states[5:10])
            for states in (parent, server)
        ),
    }


def seconds(workers: int, folder: Path) -> float:
    """Return how long six longer jobs take, from the first one's start."""
    process = sweep(folder, "seed=range(0,6)", *LONG, f"sweep.workers={workers}")
    while not any(folder.glob("sweep/*/*/status.json")):
        assert process.poll() is None
        time.sleep(0.01)
    started = time.monotonic()
    assert process.wait() == 0
    return time.monotonic() - started


def main() -> int:
    """Measure, print; return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = many(arguments.jobs, Path(folder))
    print(f"{arguments.jobs} jobs, median overhead {found['overhead']:.2f} s a job")
    print(f"  from one job's end to the next: {found['between']:.2f} s not training")
    print(f"  on the processor, training and all: {found['processor']:.2f} s")
    print(f"  memory: parent {found['parent']:+.3f}, server {found['server']:+.3f} MB")
    print(f"  a job; open files of both {found['files']:+.0f} in all")
    ratios: list[float] = []
    for turn in range(arguments.turns):
        taken: dict[int, float] = {}
        for workers in (1, 2) if turn % 2 == 0 else (2, 1):
            with tempfile.TemporaryDirectory() as folder:
                taken[workers] = seconds(workers, Path(folder))
        ratios.append(taken[1] / taken[2])
        print(f"one worker {taken[1]:.1f} s, two {taken[2]:.1f} s: {ratios[-1]:.2f}")
    speedup = statistics.median(ratios) if ratios else SPEEDUP
    met = (
        max(found["overhead"], found["between"]) <= OVERHEAD
        and max(found["parent"], found["server"]) <= MEMORY
        and found["files"] <= 0
        and speedup >= SPEEDUP
    )
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
