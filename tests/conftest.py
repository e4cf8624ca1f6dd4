"""Shared by all tests: one thread, parts from conf/, the command line in process."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import pytest
import torch

from nnlab.cli import main

matplotlib.use("Agg")
torch.set_num_threads(1)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background of a shell: so would be every command that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A run short enough for a test, and whole.
SHORT = ("trainer.max_epochs=2", "data.repeats=5", "pictures=1")


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


@pytest.fixture
def build() -> Callable[..., Any]:
    """Compose conf/ with overrides and build one part of it: the model, or the data."""
    from nnlab.build import build_model, make
    from nnlab.compose import Composer, plain

    def build_part(*overrides: str, part: str = "model") -> Any:
        composer = Composer()
        config = plain(composer.compose(list(overrides)))
        if part == "model":
            return build_model(config, composer.plugins)
        return make(config[part], part, composer.plugins)

    return build_part


@pytest.fixture
def nnlab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Answer]]:
    """Call the command line from an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> Answer:
        capfd.readouterr()
        status = main(words)
        out, err = capfd.readouterr()
        return Answer(status, out, err)

    handlers, level = logging.root.handlers[:], logging.root.level
    yield call
    # Hydra's answers (--info, --cfg) add some, to a stream that ends with the test.
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture
def refused(nnlab: Callable[..., Answer], tmp_path: Path) -> Callable[[str, str], None]:
    """Check that a command gets one sentence with these words, and writes nothing."""

    def check(words: str, said: str) -> None:
        answer = nnlab(*words.split())
        assert answer.status == 2, answer.err
        assert said in answer.err
        assert answer.err.startswith("nnlab: ")
        assert answer.err.count("\n") == 1, "one sentence, on one line"
        assert list(tmp_path.iterdir()) == [], "nothing written"

    return check


@pytest.fixture
def real_data() -> Path:
    """Return the folder of real data sets, or skip where there is none."""
    folder = os.environ.get("NNLAB_DATA")
    if not folder or not (Path(folder) / "MNIST/raw").is_dir():
        pytest.skip("needs NNLAB_DATA, a folder with MNIST/raw")
    return Path(folder)
