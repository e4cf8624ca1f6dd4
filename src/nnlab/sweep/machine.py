"""What this machine has for a sweep's jobs; where that matters, torch knows."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from nnlab.errors import UserError

Trainer = dict[str, Any]
EVERYWHERE = {
    "accelerator": "cpu",
    "devices": 1,
    "strategy": "auto",
    "precision": "32-true",
}


class Machine(NamedTuple):
    """What was found.

    Args:
        gpus: that PyTorch sees.
        refused: why a job's trainer cannot be had here, in one sentence.
    """

    gpus: int
    refused: str | None


def is_everywhere(trainer: Trainer) -> bool:
    """Tell whether any machine has what this trainer asks for: none needs a look."""
    return all(str(trainer.get(k)) == str(value) for k, value in EVERYWHERE.items())


def look(trainers: Iterable[Trainer]) -> Machine:
    """Count the GPUs, and check that what the trainers ask for is here.

    A process that has done so has asked the GPUs, and no job may be forked from it.

    Args:
        trainers: the section `trainer` of each kind of job.
    """
    import torch

    from nnlab.hardware import check_hardware

    refused = None
    try:
        for trainer in trainers:
            check_hardware(trainer)
    except UserError as error:
        refused = str(error)
    return Machine(torch.cuda.device_count(), refused)
