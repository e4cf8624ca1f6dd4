"""`python -m nnlab.rank`: one process of a run that `nnlab` has started several of.

It reads its job from its standard input, which stays open as long as its starter lives.
"""

import os
import pickle
import sys

from nnlab.group import Job, die_with
from nnlab.importing import imports
from nnlab.interrupt import end_by_signals
from nnlab.stand_in import leave_out_unused


def main() -> int:
    """Do the job; return the exit status."""
    end_by_signals()
    job = pickle.load(sys.stdin.buffer)
    assert isinstance(job, Job)
    die_with(sys.stdin.fileno())
    leave_out_unused()
    with imports():
        from nnlab.run import work_as_rank

    return work_as_rank(job)


if __name__ == "__main__":
    status = main()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)  # at once: to take torch apart in order costs seconds
