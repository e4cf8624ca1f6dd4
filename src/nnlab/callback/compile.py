"""A model's `measure`, network and loss, compiled as one."""

import logging
from typing import Literal

import torch
from lightning import Callback, LightningModule, Trainer
from typing_extensions import override

from nnlab.learner import Learner

log = logging.getLogger("nnlab.compile")


class Compile(Callback):
    """Lets torch.compile write the code of `measure`, at its first batch.

    Not the module itself: that would rename every weight in the checkpoint, and compile
    anew for each length of a text that it generates. The optimizer is left as it is.

    A run with `deterministic=true` stays as it is: one that was killed and goes on is
    compiled anew, and its first steps then differ in their last bits.

    Args:
        mode: of torch.compile; the `max-autotune` ones try many kernels first.
        device: where it compiles: `cuda` leaves a run on a CPU as it is.
    """

    def __init__(
        self,
        *,
        mode: Literal[
            "default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs"
        ],
        device: Literal["any", "cuda"],
    ) -> None:
        self.mode, self.device = mode, device

    def acts_on(self, accelerator: str) -> bool:
        """Say whether it compiles what runs on `trainer.accelerator`."""
        return self.device == "any" or accelerator in ("gpu", "cuda", "auto")

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        here = trainer.strategy.root_device.type
        is_exact = torch.are_deterministic_algorithms_enabled()
        if stage == "fit" and self.device in ("any", here) and not is_exact:
            assert isinstance(pl_module, Learner)
            log.info("torch.compile writes the code, and the first steps wait for it")
            pl_module.measure = torch.compile(pl_module.measure, mode=self.mode)
