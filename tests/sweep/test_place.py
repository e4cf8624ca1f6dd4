"""A sweep has its folder to itself."""

import fcntl
import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from nnlab.errors import UserError
from nnlab.interrupt import Interrupted
from nnlab.sweep import place
from nnlab.sweep.job_server import JOBS_LOCK
from nnlab.sweep.place import sweep_folder


def test_eight_starts_at_once_have_eight_folders(tmp_path, monkeypatch):
    clock = itertools.count()

    class Coarse(datetime):
        @classmethod
        def now(cls, tz=None):  # each time is seen by two of them
            return datetime(2026, 1, 1, microsecond=next(clock) // 2)

    monkeypatch.setattr(place, "datetime", Coarse)

    def start(_: int) -> Path:
        with sweep_folder(str(tmp_path), None) as folder:
            return folder

    with ThreadPoolExecutor(8) as starts:
        folders = list(starts.map(start, range(8)))
    assert len(set(folders)) == 8
    assert all((folder / "logs").is_dir() for folder in folders)


def test_a_name_is_one_sweeps_at_a_time(tmp_path):
    with (
        sweep_folder(str(tmp_path), "night") as folder,
        pytest.raises(UserError, match="is in use by process"),
        sweep_folder(str(tmp_path), "night"),
    ):
        pass
    with sweep_folder(str(tmp_path), "night") as again:
        assert again == folder == tmp_path / "sweep/night"


def test_the_next_sweep_waits_for_the_jobs_of_a_killed_one(tmp_path, monkeypatch):
    with sweep_folder(str(tmp_path), "night") as folder:
        pass
    orphan = (folder / JOBS_LOCK).open("a")
    fcntl.flock(orphan, fcntl.LOCK_SH)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            orphan.close()  # it has saved its state

    monkeypatch.setattr(place.time, "sleep", sleep)
    with sweep_folder(str(tmp_path), "night"):
        assert len(waited) == 3
    orphan = (folder / JOBS_LOCK).open("a")
    fcntl.flock(orphan, fcntl.LOCK_SH)
    monkeypatch.setattr(place, "WAIT_SECONDS", -1.0)
    with (
        pytest.raises(UserError, match="jobs of a sweep that was killed"),
        sweep_folder(str(tmp_path), "night"),
    ):
        pass
    orphan.close()


def test_a_folder_that_cannot_be_written_is_refused():
    with (
        pytest.raises(UserError, match="cannot be written"),
        sweep_folder("/proc/x", "night"),
    ):
        pass
    assert not Path("/proc/x").exists()


def test_a_stop_within_is_no_stop_before_anything_was_written(tmp_path):
    with (
        pytest.raises(Interrupted) as stop,
        sweep_folder(str(tmp_path), "night"),
    ):
        raise KeyboardInterrupt
    assert stop.value.exit_status == 130
