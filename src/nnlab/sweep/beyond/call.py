"""What is done on the other machine: one job as a process, watched until it is over."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnlab.folder import write_json
from nnlab.sweep.job_server import NOT_INHERITED

POLL_SECONDS = 0.2
STOP_SECONDS = 60.0  # to save its state
RUNNING: list["subprocess.Popen[bytes]"] = []  # in this process
# One task of Slurm's is one job; the processes that it starts are its own affair.
OF_THE_TASK = ("SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID")


@dataclass(frozen=True)
class Call:
    """One job, as it is sent to another machine.

    Args:
        command: of a Python that finds nnlab.
        words: for nnlab.
        run: the job's folder.
        log: what it prints is appended to it.
        mark: `<mark>.state` and `<mark>.stop` are how it is spoken with.
        directory: where relative paths begin.
        environment: added to that machine's.
    """

    command: Sequence[str]
    words: Sequence[str]
    run: str
    log: str
    mark: str
    directory: str
    environment: Mapping[str, str]

    def __call__(self) -> int:
        """Run the job; return its exit status, the negative of a signal's number."""
        self._tell(None)
        try:
            self._wait_until_free()
            status = self._run()
        except SystemExit:  # submitit has requeued it: it is not over
            raise
        except BaseException:
            self._tell(1)
            raise
        self._tell(status)
        return status

    def checkpoint(self) -> Any:
        """Save and end, for submitit: Slurm wants the machine, or the time is up."""
        from submitit.helpers import DelayedSubmission

        for process in RUNNING:
            end(process)
        return DelayedSubmission(replace(self))

    def _run(self) -> int:
        environment = {**os.environ, **self.environment}
        for name in (*NOT_INHERITED, *OF_THE_TASK):
            environment.pop(name, None)
        module = ["-m", "nnlab.sweep.beyond.child", str(os.getpid())]
        with Path(self.directory, self.log).open("ab") as log:
            process = subprocess.Popen(
                [*self.command, *module, *self._continued()],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        RUNNING.append(process)
        try:
            self._watch(process)
        finally:  # whoever ended this here
            end(process)
            RUNNING.remove(process)
        return process.returncode

    def _continued(self) -> list[str]:
        """Return the words; of a job that was requeued, those that continue it."""
        run = Path(self.directory, self.run)
        verb, first, *_ = self.words
        if first.startswith("resume=") or not run.is_dir():
            return list(self.words)
        if (run / "checkpoints/last.ckpt").is_file():
            place = next(w for w in self.words if w.startswith("folder="))
            return [verb, place.replace("folder=", "resume=", 1)]
        shutil.rmtree(run)
        return list(self.words)

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        told: int | None = None
        while process.poll() is None:
            wanted = read_stop(self.mark)
            if wanted is not None and wanted != told:
                told = wanted
                if wanted == signal.SIGKILL:
                    os.killpg(process.pid, wanted)
                else:
                    process.send_signal(wanted)
            time.sleep(POLL_SECONDS)

    def _wait_until_free(self) -> None:
        """Wait for a process of an earlier attempt that is still saving its state."""
        lock = Path(self.directory, self.run, ".lock")
        until = time.monotonic() + STOP_SECONDS
        while lock.is_file() and time.monotonic() < until:
            with lock.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    time.sleep(POLL_SECONDS)
                else:
                    return

    def _tell(self, status: int | None) -> None:
        state = {"host": socket.gethostname(), "status": status}
        write_json(state_file(self.mark), state)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Let a process save its state and end, where it has not."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def state_file(mark: str) -> Path:
    """Return the file in which a job says how far it is."""
    return Path(f"{mark}.state")


def stop_file(mark: str) -> Path:
    """Return the file in which a job is told to end."""
    return Path(f"{mark}.stop")


def read_state(mark: str) -> dict[str, Any]:
    """Return what a job says of itself; nothing before it has begun."""
    try:
        return json.loads(state_file(mark).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def write_stop(mark: str, number: int) -> None:
    """Ask a job to end by a signal."""
    write_json(stop_file(mark), {"signal": int(number)})


def read_stop(mark: str) -> int | None:
    """Return the signal that a job is asked to end by."""
    try:
        return json.loads(stop_file(mark).read_text(encoding="utf-8"))["signal"]
    except FileNotFoundError:
        return None
