"""How a job ended, and why, from its exit status, its folder and what it printed."""

import signal
from pathlib import Path

from nnlab.folder import RunFolder
from nnlab.sweep.job import Status

# Sent by people, batch systems, and a kernel out of memory: not the job's own doing.
FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
TAIL_BYTES = 20_000


def outcome(folder: Path, status: int, printed: str) -> tuple[Status, str | None]:
    """Return a job's status, and the cause where that is not `complete`.

    Args:
        folder: its run's.
        status: its process's exit status; the negative of a signal that ended it.
        printed: the end of what it printed.
    """
    found = RunFolder(folder).read_json("status.json")
    if found.get("status") == "complete":
        return "complete", None
    number = -status if status < 0 else status - 128
    if number in FROM_OUTSIDE:
        verb = "killed" if status < 0 else "stopped"
        return "interrupted", f"{verb} by {signal.Signals(number).name}"
    if status < 0:
        return "failed", f"killed by {signal.Signals(number).name}"
    lines = [line for line in printed.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("nnlab: ")]
    if said:
        return "failed", said[-1].removeprefix("nnlab: ")
    if found.get("status") == "failed" and found.get("cause"):
        return "failed", str(found["cause"])
    if error := _error(lines):
        return "failed", error
    return "failed", f"exited with status {status} before it was complete"


def _error(lines: list[str]) -> str | None:
    """Return the first line of the error below the last traceback; None without one."""
    begun = [i for i, line in enumerate(lines) if line.startswith("Traceback")]
    below = lines[begun[-1] + 1 :] if begun else []
    return next((line for line in below if not line.startswith(" ")), None)


def tail(file: Path, start: int = 0, most: int = TAIL_BYTES) -> str:
    """Return the end of a text file, of what stands after `start`; "" without one."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(start, size - most))
            return stream.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
