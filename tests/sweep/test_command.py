"""The server starts before its command imports torch, so that both do at once."""

import subprocess
import sys


def test_nothing_heavy_is_imported_before_the_server_starts():
    code = "import sys, nnlab.sweep.command; print({'torch'} & set(sys.modules))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout == "set()\n"
