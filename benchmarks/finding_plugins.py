"""How long finding plugins takes, in CPU time of a fresh process, imports included.

    python benchmarks/finding_plugins.py        # the bar: 50 ms

The least of several processes: whatever else the machine does only adds to it. Twenty
plugins with requirements are found beside the bundled ones.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROBE = """
import time
start = time.process_time()
from nnlab.plugins import find_plugins
imported = time.process_time()
count = len(find_plugins())
print(imported - start, time.process_time() - imported, count)
"""
MANIFEST = """\
api = 1
name = "lab_{0}"
version = "1.0"
summary = "A plugin."
requires = ["nnlab>=0.1", "torch>=2"]
"""


def measured(folder: str, times: int = 10) -> list[float]:
    """Return the least times (ms) of import and of finding, and how many were found."""
    environment = {**os.environ, "NNLAB_PLUGINS": folder}
    rows: list[list[float]] = []
    for _ in range(times):
        command = [sys.executable, "-c", PROBE]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        )
        rows.append([float(word) for word in done.stdout.split()])
    importing, finding, count = (min(column) for column in zip(*rows, strict=True))
    return [1000 * importing, 1000 * finding, count]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(20):
            option = Path(folder, f"lab_{number}/conf/model/model_{number}.yaml")
            option.parent.mkdir(parents=True)
            option.write_text("# A model.\n")
            manifest = Path(folder, f"lab_{number}/nnlab-plugin.toml")
            manifest.write_text(MANIFEST.format(number))
        for title, place in (("bundled", ""), ("and 20 more", folder)):
            importing, finding, count = measured(place)
            print(
                f"{title:12} {count:3.0f} plugins: import {importing:.0f} ms, "
                f"find {finding:.0f} ms, together {importing + finding:.0f} ms"
            )


if __name__ == "__main__":
    main()
