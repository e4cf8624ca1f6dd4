"""A run's folder: one maker, one holder, whole files."""

import json
import os
import threading
import time
from pathlib import Path

import pytest

from nnlab.errors import UserError
from nnlab.folder import RunFolder, checkpoint_file, write, write_json

CHOICES = {"model": "mlp", "data": "xor"}


def config(**settings):
    return {"folder": None, "output_dir": "outputs", "choices": CHOICES, **settings}


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_runs_that_start_together_get_folders_of_their_own():
    paths: list[Path] = []

    def make() -> None:
        with RunFolder.make(config()) as made:
            paths.append(made.path)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(paths)) == 8
    assert all(path.parent == Path("outputs/mlp_xor") for path in paths)


def test_a_folder_that_is_there_is_refused():
    with (
        RunFolder.make(config(folder="mine")),
        pytest.raises(UserError, match="resume=mine"),
    ):
        RunFolder.make(config(folder="mine"))


def test_a_folder_under_a_file_is_refused():
    Path("file").write_text("")
    with pytest.raises(UserError, match="output_dir=file cannot be written"):
        RunFolder.make(config(output_dir="file"))


def test_a_folder_is_held_by_one_until_it_lets_go():
    in_use = pytest.raises(UserError, match=f"in use by process {os.getpid()}")
    with RunFolder.make(config(folder="run")), in_use:
        RunFolder(Path("run")).acquire()
    with RunFolder(Path("run")).acquire():
        pass


def test_the_lock_of_a_killed_process_is_gone():
    with RunFolder.make(config(folder="run")):
        pass
    process = os.fork()
    if process == 0:
        RunFolder(Path("run")).acquire()
        os._exit(0)
    os.waitpid(process, 0)
    assert Path("run/.lock").read_text() == str(process)
    with RunFolder(Path("run")).acquire():
        assert Path("run/.lock").read_text() == str(os.getpid())


def test_a_folder_without_a_run_is_refused():
    Path("empty").mkdir()
    for name, said in (("nothing", "no folder"), ("empty", "has no config.yaml")):
        with pytest.raises(UserError, match=said):
            RunFolder.open(name)


@pytest.mark.parametrize("text", ["a: [", "- 1\n", "model: 1\n", "", "\xff\xfe"])
def test_a_config_that_no_run_wrote_is_refused(text):
    Path("run").mkdir()
    Path("run/config.yaml").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"run/config\.yaml"):
        RunFolder.open("run").config()


def test_the_config_comes_back_as_it_was_but_for_secrets():
    made_of = {"model": {"lr": 0.1}, "data": {}, "choices": {}, "api_key": "sesame"}
    with RunFolder.make(config(folder="run")) as folder:
        folder.write_config(made_of, ["seed=1", "api_key=sesame"])
    assert folder.config() == {**made_of, "api_key": "***"}
    assert Path("run/overrides.txt").read_text() == "seed=1\napi_key=***\n"


def test_a_write_that_fails_leaves_what_was_there(monkeypatch):
    write(Path("file"), "old")

    def no_space(self, *arguments, **options):
        with self.open("w") as file:
            file.write("ne")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", no_space)
    with pytest.raises(OSError, match="No space"):
        write(Path("file"), "new")
    assert Path("file").read_text() == "old"


def test_a_reader_sees_the_old_or_the_new_and_never_half():
    seen, file = set(), Path("file.json")
    write_json(file, {"text": "a" * 100_000})
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(json.loads(file.read_text())["text"][:1])

    reader = threading.Thread(target=read)
    reader.start()
    for letter in "bcdefgh" * 10:
        write_json(file, {"text": letter * 100_000})
    done.set()
    reader.join()
    assert seen <= set("abcdefgh")


def test_json_that_is_not_there_yet_is_empty():
    with RunFolder.make(config(folder="run")) as folder:
        assert folder.read_json("result.json") == {}
        folder.write_status("failed", "ü")
    assert folder.read_json("status.json") == {"status": "failed", "cause": "ü"}


def test_what_a_killed_run_left_half_written_is_swept(tmp_path):
    folder = RunFolder(tmp_path)
    folder.checkpoints.mkdir()
    for name in ("config.yaml.part", "checkpoints/last.ckpt.part"):
        (tmp_path / name).touch()
    (tmp_path / "checkpoints/last.ckpt").touch()
    with folder.acquire():
        left = sorted(file.name for file in tmp_path.rglob("*") if file.is_file())
    assert left == [".lock", "last.ckpt"]


def test_a_folder_whose_holder_is_dead_is_waited_for(tmp_path):
    # A worker that reads data holds what its parent held, until it sees that it died.
    process = os.fork()
    if process == 0:
        held = RunFolder(tmp_path).acquire()
        if os.fork() == 0:
            time.sleep(0.5)
        os._exit(held is None)
    os.waitpid(process, 0)
    started = time.monotonic()
    with RunFolder(tmp_path).acquire():
        assert time.monotonic() - started > 0.1


def test_latest_is_the_run_started_last_that_has_a_checkpoint(capsys):
    with pytest.raises(UserError, match=r"run=latest finds no run .* below outputs"):
        checkpoint_file("latest", "best")
    for second, name in enumerate(("first", "second", "third")):
        run = Path("outputs", name)
        (run / "checkpoints").mkdir(parents=True)
        (run / "config.yaml").write_text("choices: {}\n")
        os.utime(run / "config.yaml", (second, second))
        if name != "third":  # begun, and nothing saved yet
            (run / "checkpoints/last.ckpt").touch()
    assert checkpoint_file("latest", "best") == Path(
        "outputs/second/checkpoints/last.ckpt"
    )
    assert capsys.readouterr().err == "nnlab: run=outputs/second\n"
