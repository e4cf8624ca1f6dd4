"""Where messages go: short lines to the console, everything to the run's log.txt."""

import logging
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from rich.console import Console
from rich.text import Text
from typing_extensions import override

# Said by libraries about each other, in every run: nothing that a user could mend.
KNOWN = (
    r".*isinstance\(treespec, LeafSpec\).*",
    r".*does not have many workers.*",
    r".*smaller than the logging interval.*",
    r".*GPU available but not used.*",
    r".*Checkpoint directory .* exists and is not empty.*",
    r".*torch.jit.trace.*",
    r".*FSDP2-wrapped module .* returned a view tensor.*",  # and none changes it
    r".*`self.log\(.*sync_dist=True\)`.*",  # what is logged is of all ranks already
    r".*in eval mode at the start of training.*",  # of a transfer: meant so
)


class ConsoleLines(logging.Handler):
    """Prints a record as a plain line that a narrow terminal does not break up."""

    styles: ClassVar[dict[int, str]] = {logging.WARNING: "yellow", logging.ERROR: "red"}

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self.console = console

    @override
    def emit(self, record: logging.LogRecord) -> None:
        style = self.styles.get(record.levelno, "")
        self.console.print(Text(record.getMessage(), style=style), soft_wrap=True)


class Story(logging.FileHandler):
    """Writes log.txt, as long as there is space for it.

    The run itself says when there is none, once it saves: not every line of its log.
    """

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)

    @override
    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def keep_log(folder: Path, console: Console) -> Generator[None]:
    """Write to the console and to log.txt until the run ends; warnings to log.txt."""
    ours, theirs = logging.getLogger("nnlab"), logging.getLogger("py.warnings")
    file = Story(folder / "log.txt", encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    lines = ConsoleLines(console)
    before = ours.level
    ours.setLevel(logging.DEBUG)  # which is for log.txt alone
    ours.addHandler(file)
    ours.addHandler(lines)
    theirs.addHandler(file)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        theirs.removeHandler(file)
        ours.removeHandler(lines)
        ours.removeHandler(file)
        ours.setLevel(before)
        file.close()


def forget_logs() -> None:
    """Let go of another process's console and log.txt, in a copy of it."""
    for name in ("nnlab", "py.warnings"):
        logging.getLogger(name).handlers.clear()


@contextmanager
def keep_still() -> Generator[None]:
    """Say nothing: of several processes only the first writes and prints."""
    theirs, nowhere = logging.getLogger("py.warnings"), logging.NullHandler()
    propagated, theirs.propagate = theirs.propagate, False
    theirs.addHandler(nowhere)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        theirs.removeHandler(nowhere)
        theirs.propagate = propagated


def quiet_lightning() -> None:
    """Keep what Lightning says of every run (no TPU, the end reached) to itself."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # of a compiler that finds no GPU, where none is asked for
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    for message in KNOWN:
        warnings.filterwarnings("ignore", message)
