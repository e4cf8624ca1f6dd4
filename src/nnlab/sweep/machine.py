"""What only torch knows of a sweep's jobs: whether they can be made, and here.

`python -m nnlab.sweep.machine` answers in a process of its own, where no fork of the
sweep's server does (`sweep.fork=false`).
"""

import json
import os
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from nnlab.errors import UserError
from nnlab.plugins import Plugins

Config = dict[str, Any]


class Machine(NamedTuple):
    """What was found.

    Args:
        gpus: that PyTorch sees.
        refused: what is wrong with a job, in one sentence.
    """

    gpus: int
    refused: str | None


def question(configs: Sequence[Config], *, is_here: bool) -> bytes:
    """Return what `testify` is asked; JSON would make text of every key."""
    return pickle.dumps((list(configs), is_here))


def testify(about: bytes, answer: int) -> NoReturn:
    """Answer a `question` in one line of JSON; ends the process, whatever else happens.

    A plugin is imported here, which may do anything: what it prints belongs to a job's
    log, and where it ends this process, no answer comes.

    Args:
        about: the question.
        answer: the open file to write to.
    """
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    for number in (1, 2):
        os.dup2(sys.stdout.fileno(), number)
    try:
        from nnlab.compose import Composer
        from nnlab.plugins import find_plugins

        plugins = Composer.ready.plugins if Composer.ready else find_plugins()
        configs, is_here = pickle.loads(about)
        machine = look(configs, is_here=is_here, plugins=plugins)
        os.write(answer, json.dumps(machine._asdict()).encode() + b"\n")
    finally:
        os._exit(0)


def look(configs: Sequence[Config], *, is_here: bool, plugins: Plugins) -> Machine:
    """Count the GPUs, and check what jobs are made of.

    A process that has done so has asked the GPUs, and imported what a plugin, a model
    or a data set may do anything in: no job may be forked from it.

    Args:
        configs: of each kind of job.
        is_here: the jobs will run on this machine.
        plugins: that the configs may name.
    """
    import torch

    from nnlab.hardware import check_hardware
    from nnlab.settings import check_threads

    try:
        for config in configs:
            if is_here:
                check_threads(config)
                check_hardware(config["trainer"])
            _check(config, plugins, is_here=is_here)
    except UserError as error:
        return Machine(0, str(error))
    return Machine(torch.cuda.device_count() if is_here else 0, None)


def _check(config: Config, plugins: Plugins, *, is_here: bool) -> None:
    """Check what a job is made of.

    The job itself will tell where a model is not for its data (others of the sweep may
    be), and what somebody's code does when it is imported.
    """
    from nnlab.build import check_parts, prepared
    from nnlab.loggers import check_loggers
    from nnlab.pairing import check_pairing
    from nnlab.preflight import check_trainer
    from nnlab.reference import check_reference
    from nnlab.transfer import check_transfer

    try:
        check_pairing(config, plugins)
    except UserError:
        return
    try:
        check_reference(config["reference"])
        check_loggers(config["logger"], plugins)
        check_parts(config, plugins)
        if is_here and config["sweep"]["name"] is None:  # else jobs may have begun
            check_transfer(config)
        if is_here:
            check_trainer(prepared(config["trainer"], "trainer", plugins)[1])
    except UserError:
        raise
    except (Exception, SystemExit):  # noqa: BLE001
        pass


if __name__ == "__main__":
    testify(sys.stdin.buffer.read(), os.dup(1))
