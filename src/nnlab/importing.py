"""Importing torch and Lightning, without looking for garbage among what they bring.

They make half a million objects that stay as long as the process. Python's collector
would look through all of them again and again while they come: a fifth of a start.
"""

import atexit
import gc
import sys
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
        yield
    finally:
        gc.enable()
    if "torch" in sys.modules:
        gc.freeze()
        # Else an interpreter that ends by itself, not by `nnlab.ending`, would say of
        # some of it that it leaks.
        atexit.register(gc.unfreeze)
