"""Runs a command, and writes what it took: a small process between it and a large one.

    python watched.py <file> <command ...>

A process that is started by a large one counts the large one's memory as its own.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    started = time.perf_counter()
    status = subprocess.run(sys.argv[2:], check=False).returncode
    wall = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1024**2 if sys.platform == "darwin" else 1024
    took = {
        "processor": used.ru_utime + used.ru_stime,
        "wall": wall,
        "memory": used.ru_maxrss / unit,
    }
    Path(sys.argv[1]).write_text(json.dumps(took), encoding="utf-8")
    sys.exit(status)
