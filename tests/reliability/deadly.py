"""Runs in a fork of the tests, which end by a signal at a batch or in a hook."""

import os
from collections.abc import Callable
from typing import Any

from lightning import Trainer

from nnlab.cli import main
from nnlab.record import Record

# Everything that has a state: dropout, momentum, a schedule, half-summed gradients, a
# short last batch, means since the last look.
STATEFUL = (
    "model.dropout=0.2",
    "optimizer=momentum",
    "schedule=cosine",
    "trainer.accumulate_grad_batches=2",
    "trainer.log_every_n_steps=3",
    "trainer.max_epochs=3",
    "data.batch_size=3",
    "data.repeats=10",
    "checkpoint_seconds=0",
    "pictures=0",
    "logger=[]",
)
BATCHES = 14  # an epoch's: 40 examples in threes


def end(number: int) -> None:
    """Send this process a signal."""
    os.kill(os.getpid(), number)


def in_a_process(prepare: Callable[[], None], *words: str) -> int:
    """Run a command in a process of its own, after a preparation there.

    Returns its exit status, or minus the signal that ended it.
    """
    process = os.fork()
    if process == 0:
        status = 99
        try:
            prepare()
            status = main(words)
        finally:  # whatever happens: this copy of pytest must not go on
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def run_and_end(number: int, at_batch: int, *words: str) -> int:
    """Run a command that gets a signal once it has done some batches."""
    before = Record.on_train_batch_end

    def deadly(self: Record, trainer: Trainer, *arguments: Any) -> None:
        before(self, trainer, *arguments)
        if trainer.fit_loop.total_batch_idx + 1 == at_batch:
            end(number)

    return in_a_process(lambda: setattr(Record, "on_train_batch_end", deadly), *words)


def run_and_end_in(hook: str, number: int, *words: str) -> int:
    """Run a command that gets a signal in a hook."""
    return in_a_process(lambda: setattr(Record, hook, lambda *_: end(number)), *words)
