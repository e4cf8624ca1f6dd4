"""nnlab as a process that ends with the one that started it: `<pid> <words>`."""

import runpy
import signal
import sys

from nnlab.sweep.child import die_with

if __name__ == "__main__":
    _, parent, *words = sys.argv
    die_with(int(parent), signal.SIGTERM)
    # Slurm tells all processes of a job that its time is up; the parent acts on it.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    sys.argv = ["nnlab", *words]
    # As __main__: Lightning starts the other processes of a distributed job by it.
    runpy.run_module("nnlab", run_name="__main__", alter_sys=True)
