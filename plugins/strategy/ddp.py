"""DDP: every process holds the whole model and learns from a part of each batch."""

from typing import Literal

from lightning.pytorch.strategies import DDPStrategy
from typing_extensions import override

METHODS: dict[str, Literal["popen", "fork", "spawn"]] = {
    "command": "popen",
    "fork": "fork",
    "spawn": "spawn",
}


class DDP(DDPStrategy):
    """Distributed data parallel: gradients are averaged while they are computed.

    Li et al. (2020), "PyTorch Distributed: Experiences on Accelerating Data Parallel
    Training", arXiv:2006.15704. A step is one of the whole batch: the same weights as
    one process of `data.batch_size` times as many examples would have.

    Args:
        start: of the processes, where neither torchrun nor Slurm starts them: a new
            command each, a copy of the first one, or a new Python interpreter.
        find_unused_parameters: for a model that leaves weights without a gradient in
            some steps; costs a walk over the graph a step.
        gradient_as_bucket_view: gradients lie where they are averaged: one copy less,
            and less memory.
    """

    def __init__(
        self,
        *,
        start: Literal["command", "fork", "spawn"],
        find_unused_parameters: bool,
        gradient_as_bucket_view: bool,
    ) -> None:
        super().__init__(
            start_method=METHODS[start],
            find_unused_parameters=find_unused_parameters,
            gradient_as_bucket_view=gradient_as_bucket_view,
        )
        self.start = start

    @override
    def _configure_launcher(self) -> None:
        assert self.cluster_environment is not None
        if not self.cluster_environment.creates_processes_externally:
            super()._configure_launcher()
