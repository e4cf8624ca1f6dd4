"""Ctrl-C and SIGTERM end a run at the next whole step, once its state is saved.

SIGUSR1 does so too: it is what Slurm is asked to send before a job's time is over.
"""

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


@contextmanager
def ended_at_once(said: str) -> Generator[None]:
    """Let Ctrl-C and SIGTERM end this process with a sentence, until something listens.

    Python's own way, an exception wherever the process is, does not come through: what
    torch or OmegaConf were at fails in one of their ways. A copy of this process, which
    a library makes, ends silently.
    """
    process = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() == process:
            os.write(2, f"nnlab: {said}\n".encode())  # as it is: not through a stream
        os._exit(128 + number)

    with _restored():
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                signal.signal(number, end)
        yield


@contextmanager
def _restored() -> Generator[None]:
    """Put the handlers of the signals back, in the end."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held_back() -> Generator[None]:
    """Let the signals wait, for this process and for those that it starts meanwhile."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_by_signals() -> None:
    """Let the signals end this process at once and silently, until it listens.

    It was started while they were `held_back`: those that have come are heard now.
    """
    for number in NUMBERS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, NUMBERS)


@contextmanager
def ended_in_silence() -> Generator[None]:
    """Let the signals end this process wherever it is, in C++ that waits as well."""
    with _restored():
        end_by_signals()
        yield


class Interrupted(BaseException):
    """The run was asked to stop, and has saved where it was.

    Not an `Exception`: Lightning and others must not take it for an error of theirs.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def exit_status(self) -> int:
        """128 + the signal's number, as shells report it."""
        return 128 + self.number


class Interrupt:
    """Remembers a signal until somebody asks.

    Attributes:
        number: of the signal that has come, None where none has.
        is_patient: takes more signals as the same one, where another process decides
            when it is enough (group.py); else a second one ends the process at once.
    """

    def __init__(self, *, is_patient: bool = False) -> None:
        self.number: int | None = None
        self.is_patient = is_patient

    @property
    def requested(self) -> bool:
        return self.number is not None

    def check(self) -> None:
        """Raise `Interrupted` where a signal has come."""
        if self.number is not None:
            raise Interrupted(self.number)

    @contextmanager
    def listen(self) -> Generator[None]:
        """Take the signals; a second one of them ends the process at once."""
        with _restored():
            self.take_over()
            yield

    def take_over(self) -> None:
        """Take the signals from whoever has them.

        Lightning, left to itself, would stop at once, in the middle of what cannot be
        saved.
        """
        if not self.requested:
            for number in NUMBERS:
                signal.signal(number, self._remember)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        if not self.is_patient:
            for each in NUMBERS:
                signal.signal(each, signal.SIG_DFL)
