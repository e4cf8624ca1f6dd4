"""`python -m nnlab`."""

import sys
from pathlib import Path

# `python -m` puts the current folder first: a stray omegaconf.py there would be run.
# It stays where nnlab itself lies in it.
first = Path(sys.path[0]).resolve()
if first == Path.cwd() != Path(__file__).resolve().parents[1]:
    del sys.path[0]

from nnlab.interrupt import ended_at_once  # noqa: E402

with ended_at_once("stopped before anything was written"):
    from nnlab.cli import command

if __name__ == "__main__":
    command()
