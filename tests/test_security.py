"""What a stranger's config, folder or plugin may do here: nothing."""

import io
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Each would run code, or open a way to it, if a config could name it.
HOSTILE = [
    "os.system",
    "os.popen",
    "os.execv",
    "posix.system",
    "subprocess.run",
    "subprocess.Popen",
    "builtins.eval",
    "builtins.exec",
    "builtins.__import__",
    "importlib.import_module",
    "runpy.run_path",
    "pickle.loads",
    "shutil.rmtree",
    "socket.socket",
    "webbrowser.open",
    "ctypes.CDLL",
    "pydoc.pipepager",
    "code.interact",
    "pip.main",
    "yaml.unsafe_load",
    "numpy.load",
    "hydra.utils.get_method",
    "torch.load",
    "torch.hub.load",
    "torch.utils.collect_env.run",
    "torch.utils.cpp_extension.load",
    "torch.multiprocessing.Process",
    "torch.distributed.run.main",
    "torch.nn.Module.__subclasses__",
    "torchvision.datasets.utils.download_url",
    "lightning.fabric.utilities.cloud_io._load",
    "lightning.pytorch.cli.LightningCLI",
    "nnlab.cli.main",
    "nnlab.download.fetched",
    "nnlab.folder.RunFolder",
]
PLACES = {
    "model": "model._target_=TARGET",
    "data": "data._target_=TARGET",
    "optimizer": "optimizer._target_=TARGET",
    "schedule": "schedule._target_=TARGET",
    "trainer": "trainer._target_=TARGET",
    "strategy": "++trainer.strategy={_target_:TARGET}",
    "callback": "++callback.more={_target_:TARGET}",
    "logger": "++logger.tensorboard._target_=TARGET",
    "nested": "++data.function={_target_:TARGET}",
    "deep": "++model.hidden_sizes=[{_target_:TARGET}]",
}


@contextmanager
def web_of(pages: dict[str, bytes]) -> Iterator[list[str]]:
    """Serve these pages in place of the internet; yield what was asked for."""
    asked: list[str] = []

    class Opener:
        def open(self, url: str, timeout: float) -> io.BytesIO:
            asked.append(url)
            return io.BytesIO(pages[url])

    before = urllib.request.build_opener
    urllib.request.build_opener = lambda *_: Opener()  # type: ignore[assignment]
    try:
        yield asked
    finally:
        urllib.request.build_opener = before


@pytest.fixture
def nothing_runs(monkeypatch):
    def refused(*arguments: object, **keywords: object) -> None:
        raise AssertionError(f"this ran: {arguments} {keywords}")

    for owner, name in (
        (os, "system"),
        (os, "popen"),
        (os, "execv"),
        (subprocess, "run"),
        (subprocess, "Popen"),
        (subprocess, "check_output"),
    ):
        monkeypatch.setattr(owner, name, refused)


def pairs(every: bool) -> list[tuple[str, str]]:
    """Return targets with places: each with one, or each with each."""
    words = list(PLACES.values())
    if every:
        return [(target, word) for target in HOSTILE for word in words]
    return [(target, words[n % len(words)]) for n, target in enumerate(HOSTILE)]


def assert_refused(pairs, nnlab, tmp_path) -> None:
    for target, word in pairs:
        answer = nnlab(word.replace("TARGET", target), "pictures=0")
        assert answer.status == 2, (word, answer.err)
        # torch.utils.cpp_extension warns of a missing GPU as it is imported
        said = [x for x in answer.err.splitlines() if "No CUDA runtime" not in x]
        assert len(said) == 1, answer.err
        assert said[0].startswith("nnlab: ")
    assert list(tmp_path.iterdir()) == []


def test_no_hostile_target_is_called(nnlab, nothing_runs, tmp_path):
    assert_refused(pairs(every=False), nnlab, tmp_path)


@pytest.mark.slow
def test_no_hostile_target_is_called_from_any_place(nnlab, nothing_runs, tmp_path):
    assert_refused(pairs(every=True), nnlab, tmp_path)


def test_a_config_within_a_run_names_no_stranger(nnlab, tmp_path):
    assert nnlab("folder=run", "trainer.max_epochs=1", "data.repeats=1").status == 0
    file = tmp_path / "run/config.yaml"
    honest = file.read_text(encoding="utf-8")
    for part in ("nnlab.model.mlp.MLP", "nnlab.data.xor.XOR"):
        if part in honest:
            file.write_text(honest.replace(part, "os.system"), encoding="utf-8")
            answer = nnlab("resume=run", "trainer.max_epochs=2")
            assert answer.status == 2
            assert "outside the trusted packages" in answer.err


SHADOWS = ("omegaconf", "torch", "yaml", "hydra_plugins", "sitecustomize", "numpy")


@pytest.mark.parametrize("command", [("--version",), ("--cfg", "job")])
def test_nothing_of_the_current_folder_is_imported(command, tmp_path):
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text("open('sprung', 'w')\n")
    package = tmp_path / "hydra_plugins/trap"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("open('sprung', 'w')\n")
    done = subprocess.run(
        [sys.executable, "-m", "nnlab", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "sprung").exists()


def test_others_cannot_write_to_a_run(nnlab, tmp_path):
    before = os.umask(0)
    try:
        assert nnlab("folder=run", "trainer.max_epochs=1", "data.repeats=1").status == 0
    finally:
        os.umask(before)
    for path in [tmp_path / "run", *Path("run").rglob("*")]:
        assert not path.stat().st_mode & 0o002, path
