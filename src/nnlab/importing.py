"""Importing torch and Lightning, without looking for garbage among what they bring.

They make half a million objects that stay as long as the process. Python's collector
would look through all of them again and again while they come: a fifth of a start.
"""

import atexit
import gc
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def imports() -> Generator[None]:
    """Import torch within this, where it is not yet, and what imports it.

    From then on the collector passes over all that has come.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        with _undisturbed():
            yield
    finally:
        gc.enable()
    if "torch" in sys.modules:
        gc.freeze()
        # Else an interpreter that ends by itself, not by `nnlab.ending`, would say of
        # some of it that it leaks.
        atexit.register(gc.unfreeze)


@contextmanager
def _undisturbed() -> Generator[None]:
    """Let Ctrl-C wait: torch takes it for a NumPy that cannot be imported."""
    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if before is not signal.default_int_handler or not is_main:
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt
