"""Sweeps whose jobs are forked from the tests' process: torch is imported already."""

import atexit
import faulthandler
import json
import os
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nnlab.run  # noqa: F401  # once, for all the forked jobs
from nnlab.errors import UserError
from nnlab.folder import RunFolder
from nnlab.plugins import find_plugins
from nnlab.sweep import command, conclusion
from nnlab.sweep.job import Job
from nnlab.sweep.job_server import JobServer
from nnlab.sweep.machine import look
from nnlab.sweep.server import Server

QUICK = ("trainer.max_epochs=1", "data.repeats=2", "pictures=0", "logger=[]")
MISBEHAVING = Path(__file__).parent / "misbehaving"


class ForkedServer:
    """What `JobServer` needs of a Popen."""

    def __init__(self, connection: socket.socket, theirs: socket.socket) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                atexit._clear()  # those of the tests
                faulthandler.disable()
                connection.close()
                Server(theirs, fork=True).serve()
            except BaseException:  # noqa: BLE001
                traceback.print_exc()
            finally:
                os._exit(0)

    def kill(self) -> None:
        os.kill(self.pid, 9)

    def wait(self) -> None:
        os.waitpid(self.pid, 0)


@pytest.fixture
def forked(monkeypatch) -> None:
    def spawn(self: JobServer, theirs: socket.socket) -> ForkedServer:
        return ForkedServer(self._connection, theirs)

    monkeypatch.setattr(JobServer, "_spawn", spawn)


class InstantServer:
    """A server whose jobs are over at once, without a process or any training."""

    def __init__(self, *, fork: bool) -> None:
        self.started: list[list[str]] = []
        self.environments: list[dict[str, str]] = []
        self.signals: list[tuple[int, int]] = []
        self.told: list[tuple[int, int | None]] = []
        self.fails: set[int] = set()  # numbers of the jobs that do
        self.hangs: set[int] = set()

    def hold(self, folder: Path) -> None:
        self.folder = folder

    def look(self, configs: list[dict[str, Any]], *, is_here: bool) -> int:
        machine = look(configs, is_here=is_here, plugins=find_plugins())
        if machine.refused:
            raise UserError(machine.refused)
        return 0

    def start(self, job: Job, words: list[str], *, log: Path, **rest: Any) -> None:
        self.started.append(words)
        self.environments.append(rest["environment"])
        self.told.append((job.number, None))
        if job.number in self.hangs:
            return
        failed = job.number in self.fails
        run = RunFolder(self.folder / job.folder)
        run.path.mkdir(exist_ok=True)
        if not failed:
            run.write_json("result.json", {"metrics": {"test/loss": job.number / 8}})
            (run.path / "report.html").touch()
        run.write_status("failed" if failed else "complete", "it was to" * failed)
        self.told.append((job.number, int(failed)))

    def signal(self, job: Job, number: int) -> None:
        self.signals.append((job.number, number))
        self.told.append((job.number, -number))

    def news(self, seconds: float) -> list[tuple[int, int | None]]:
        told, self.told = self.told, []
        return told

    def end(self) -> None:
        pass

    def __enter__(self) -> "InstantServer":
        return self

    def __exit__(self, *exception: object) -> None:
        pass


@pytest.fixture
def instant(monkeypatch) -> InstantServer:
    server = InstantServer(fork=True)
    monkeypatch.setattr(command, "JobServer", lambda fork, composer: server)
    monkeypatch.setattr(conclusion, "_answer", lambda ledger: None)  # of no real runs
    return server


@pytest.fixture
def sweep(nnlab) -> Callable[..., Any]:
    """Run `nnlab -m` quickly, under a name; return what was said, and its ledger."""

    def run(*words: str, name: str = "night") -> tuple[Any, dict[str, dict[str, Any]]]:
        keys = {word.partition("=")[0] for word in words}
        quick = [word for word in QUICK if word.partition("=")[0] not in keys]
        answer = nnlab("-m", *words, f"sweep.name={name}", *quick)
        return answer, jobs_in(Path("outputs/sweep", name))

    return run


@pytest.fixture
def misbehaving(monkeypatch) -> tuple[str, str]:
    """Return the words that choose how each job goes wrong."""
    monkeypatch.setenv("NNLAB_PLUGINS", str(MISBEHAVING))
    return "callback=[misbehave]", "callback.misbehave.how={}"


def jobs_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of a sweep's ledger by the job's name."""
    file = folder / "sweep.json"
    if not file.is_file():
        return {}
    rows = json.loads(file.read_text())["jobs"].values()
    return {row["name"]: row for row in rows}
