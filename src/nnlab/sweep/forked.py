"""A copy of this process that goes on by itself, instead of a new interpreter."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress

# Their libraries start threads, which a fork leaves behind.
THREADED = ("numpy", "torch")


def can_fork() -> bool:
    """Tell whether a copy of this process would have all that this one has."""
    imported = any(name in sys.modules for name in THREADED)
    return not imported and threading.active_count() == 1


class Forked:
    """The copy, as `subprocess.Popen` would show it.

    Args:
        work: what it does, until it ends.
        ignored: signals that are not for it, from its first moment.
        keep: the one open file that is for it as well. All others are closed: a lock
            would be held as long as the copy lives.
    """

    _is_buried = False  # its number may be another's by now

    def __init__(
        self, work: Callable[[], None], *, ignored: Sequence[int], keep: int
    ) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, ignored)
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                for number in ignored:
                    signal.signal(number, signal.SIG_IGN)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, ignored)
                os.setsid()  # Ctrl-C comes to the jobs through the other process
                _close_files(keep)
                work()
                status = 0
            except BaseException:  # noqa: BLE001  # whoever forked it sees that it ended
                traceback.print_exc()
            finally:
                os._exit(status)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ignored)

    def kill(self) -> None:
        """End it at once, where it has not ended."""
        if not self._is_buried:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Wait until it has ended."""
        if not self._is_buried:
            with suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
        self._is_buried = True


def _close_files(keep: int) -> None:
    """Leave what is printed, one file, and nothing to read."""
    os.closerange(3, keep)
    os.closerange(keep + 1, os.sysconf("SC_OPEN_MAX"))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
