"""What only torch knows of a sweep's jobs: whether they can be made, and here."""

from collections.abc import Sequence
from typing import Any, NamedTuple

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

    try:
        for config in configs:
            if is_here:
                check_hardware(config["trainer"])
            _check(config, plugins)
    except UserError as error:
        return Machine(0, str(error))
    return Machine(torch.cuda.device_count() if is_here else 0, None)


def _check(config: Config, plugins: Plugins) -> None:
    from nnlab.build import check_parts

    try:
        check_parts(config, plugins)
    except UserError:
        raise
    except Exception:  # noqa: BLE001  # somebody's code fails: the job itself will tell
        return
