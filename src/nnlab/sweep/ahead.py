"""A sweep's server, begun before the sweep's words are read.

It imports torch on one core while this process imports Hydra, and checks the jobs, on
another. A sweep that is refused has lost nothing by it but that work.
"""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from nnlab.sweep.forked import can_fork
from nnlab.sweep.job_server import JobServer

FLAGS = ("-m", "--multirun")
# What may want jobs that are no forks, or other files than a new server reads.
OTHER = ("sweep.fork=", "hydra/", "hydra.")


@contextmanager
def server_ahead(words: Sequence[str]) -> Generator[JobServer | None]:
    """Give a sweep's server, where these words are of a sweep that will want it."""
    flags = {word for word in words if word.startswith("-")}
    is_usual = flags <= {*FLAGS} and not any(
        word.lstrip("+~").startswith(OTHER) for word in words
    )
    if not is_usual or not can_fork() or sys.platform == "darwin":
        yield None
        return
    with JobServer(fork=True) as server:
        yield server
