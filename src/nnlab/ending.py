"""The end of a process, without taking down what it has imported."""

import atexit
import os
import sys
import threading
import weakref
from typing import Any, NoReturn


def end(status: int) -> NoReturn:
    """End as an interpreter does, but leave its memory to the system.

    Taking down torch and Lightning module by module costs more than a second. Threads
    are waited for, what was registered to run at exit runs, and what was printed goes
    out.
    """
    try:
        threading._shutdown()  # pyright: ignore  # waits for threads
        _keep_operators()
        atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _keep_operators() -> None:
    """Let torch's operators be, 200 libraries that it would take down one by one."""
    taken_down = getattr(sys.modules.get("torch.library"), "_del_library", None)
    registry: dict[Any, Any] = getattr(weakref.finalize, "_registry", {})
    for finalizer, what in list(registry.items()):
        if what.func is taken_down:
            finalizer.atexit = False
