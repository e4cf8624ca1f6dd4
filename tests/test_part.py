"""A part belongs to one living process; what a dead one left is swept."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_context

import pytest

from nnlab.part import part_of, sweep_parts

HOLD = """
import sys, time
from pathlib import Path
from nnlab.part import part_of
with part_of(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("holding", flush=True)
    time.sleep(60)
"""


def parts(folder):
    return sorted(path.name for path in folder.glob("*.part"))


@pytest.fixture
def holder(tmp_path):
    """A process in the middle of writing tmp_path/data."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_whole_takes_the_name_and_no_part_stays(tmp_path):
    with part_of(tmp_path / "data") as file:
        file.write(b"whole")
        assert len(parts(tmp_path)) == 1
        assert not (tmp_path / "data").exists()
    assert (tmp_path / "data").read_bytes() == b"whole"
    assert parts(tmp_path) == []


def write_half(target):
    with part_of(target) as file:
        file.write(b"half")
        raise OSError("no more")


def test_an_error_leaves_the_file_as_it_was(tmp_path):
    (tmp_path / "data").write_bytes(b"before")
    with pytest.raises(OSError, match="no more"):
        write_half(tmp_path / "data")
    assert (tmp_path / "data").read_bytes() == b"before"
    assert parts(tmp_path) == []


def test_what_a_killed_process_left_is_swept_by_the_next(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert len(parts(tmp_path)) == 1
    with part_of(tmp_path / "data") as file:
        assert len(parts(tmp_path)) == 1  # its own
        file.write(b"whole")
    assert parts(tmp_path) == []


def test_the_part_of_a_living_process_stays(holder, tmp_path):
    sweep_parts(tmp_path / "data")
    assert len(parts(tmp_path)) == 1
    with part_of(tmp_path / "data") as file:
        file.write(b"mine")
    assert (tmp_path / "data").read_bytes() == b"mine"
    assert len(parts(tmp_path)) == 1
    assert holder.poll() is None


def test_parts_of_an_earlier_version_and_of_other_files(tmp_path):
    for name in ("data.12345.part", "other.12345.part", "data[1].x.part"):
        (tmp_path / name).write_bytes(b"half")
    sweep_parts(tmp_path / "data")
    assert parts(tmp_path) == ["data[1].x.part", "other.12345.part"]
    sweep_parts(tmp_path / "data[1]")
    assert parts(tmp_path) == ["other.12345.part"]


def test_a_disk_without_locks_keeps_every_part(tmp_path, monkeypatch):
    (tmp_path / "data.12345.part").write_bytes(b"half")

    def refuse(*_: object) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with part_of(tmp_path / "data") as file:
        file.write(b"whole")
    assert (tmp_path / "data").read_bytes() == b"whole"
    assert parts(tmp_path) == ["data.12345.part"]


def _write_often(folder, letter):
    for _ in range(100):
        with part_of(folder / "data") as file:
            file.write(letter * 1000)


def test_many_writers_at_once_all_end_well(tmp_path):
    context = get_context("fork")
    writers = [
        context.Process(target=_write_often, args=(tmp_path, letter))
        for letter in (b"a", b"b", b"c")
    ]
    for writer in writers:
        writer.start()
    until = time.monotonic() + 60
    while any(writer.is_alive() for writer in writers):
        sweep_parts(tmp_path / "data")
        assert time.monotonic() < until
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert (tmp_path / "data").read_bytes() in (b"a" * 1000, b"b" * 1000, b"c" * 1000)
    assert parts(tmp_path) == []


def test_a_part_may_be_read_by_whom_the_process_lets(tmp_path):
    before = os.umask(0o027)
    try:
        with part_of(tmp_path / "data") as file:
            file.write(b"whole")
    finally:
        os.umask(before)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o640
