"""DeepSpeed: optimizer state, gradients and weights in parts (ZeRO)."""

from importlib.util import find_spec
from typing import ClassVar, Literal

from lightning.pytorch.strategies import DeepSpeedStrategy

from nnlab.errors import UserError


class DeepSpeed(DeepSpeedStrategy):
    """DeepSpeed's ZeRO, on NVIDIA GPUs.

    Rajbhandari et al. (2020), "ZeRO: Memory Optimizations Toward Training Trillion
    Parameter Models", arXiv:1910.02054, section 3.

    Args:
        start: of the processes; as in `strategy=ddp`.
        stage: 1 parts the optimizer's state, 2 the gradients too.
        offload_optimizer: keeps the optimizer's state in the memory of the CPU.
    """

    brings: ClassVar[frozenset[str]] = frozenset({"sharded"})

    def __init__(
        self,
        *,
        start: Literal["command", "spawn"],
        stage: Literal[1, 2],
        offload_optimizer: bool,
    ) -> None:
        if find_spec("deepspeed") is None:
            raise UserError(
                "strategy=deepspeed needs DeepSpeed, which is not installed; "
                "pip install 'nnlab[deepspeed]'"
            )
        super().__init__(stage=stage, offload_optimizer=offload_optimizer)
        self.start = start
