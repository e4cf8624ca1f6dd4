"""FSDP2: every process holds a part of each weight, and gathers it when needed."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from lightning import LightningModule, Trainer
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import Tensor, distributed, nn
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import SGD, Optimizer
from typing_extensions import override

# What Lightning and nnlab call besides `forward`; each gathers the weights first.
CALLED = (
    *("training_step", "validation_step", "test_step", "predict_step", "sample"),
    *("on_validation_epoch_end", "on_test_epoch_end"),
)


class FSDP2(ModelParallelStrategy):
    """Fully sharded data parallel: the memory of one model for all processes together.

    Zhao et al. (2023), "PyTorch FSDP: Experiences on Scaling Fully Sharded Data
    Parallel", arXiv:2304.11277, in its second form, a DTensor a weight. The model knows
    nothing of it: the blocks of its `ModuleList`s are sharded one by one, so that only
    one of them is whole at a time, and the rest of the model as one.

    Checkpoints are those of one process: whole weights and optimizer state, for any
    strategy to go on from.

    Args:
        start: of the processes; as in `strategy=ddp`.
        reshard_after_forward: a block's weights are let go after the forward pass and
            gathered again for the backward pass: less memory, more messages.
    """

    brings: ClassVar[frozenset[str]] = frozenset({"sharded"})
    not_with: ClassVar[Mapping[str, str]] = {
        "64-bit weights": "Lightning shards weights of 16 and 32 bits; use strategy=ddp"
    }

    def __init__(
        self, *, start: Literal["command", "fork", "spawn"], reshard_after_forward: bool
    ) -> None:
        super().__init__(save_distributed_checkpoint=False)
        self.start = start
        self.reshard_after_forward = reshard_after_forward

    @property
    @override
    def lightning_restore_optimizer(self) -> bool:
        return True  # its state is that of one process

    @override
    def setup_environment(self) -> None:
        model = self.lightning_module
        assert model is not None
        # Where Lightning asks for the sharding: after all callbacks' `setup`.
        model.configure_model = lambda: self._shard(model)
        self._data_parallel_size = self.num_nodes * self.num_processes
        self._tensor_parallel_size = 1
        super().setup_environment()

    @override
    def setup_optimizers(self, trainer: Trainer) -> None:
        super().setup_optimizers(trainer)
        for optimizer in self.optimizers:
            if isinstance(optimizer, SGD):  # whose fused step knows no DTensor
                for group in optimizer.param_groups:
                    group["fused"] = False

    @override
    def training_step(self, *arguments: Any, **named: Any) -> Any:
        # As DDP does: else each process counts its own batches in a batch norm.
        for buffer in self._learner.buffers():
            distributed.broadcast(buffer, src=0)
        return super().training_step(*arguments, **named)

    @override
    def lightning_module_state_dict(self) -> dict[str, Any]:
        """Return whole weights, on every rank: all of them must ask."""
        own = self._learner.state_dict()
        return {name: _whole(value) for name, value in own.items()}

    @override
    def load_model_state_dict(
        self, checkpoint: Mapping[str, Any], strict: bool = True
    ) -> None:
        own: dict[str, Any] = self._learner.state_dict()
        given: dict[str, Any] = {
            name: _placed(value, own.get(name))
            for name, value in checkpoint["state_dict"].items()
        }
        self._learner.load_state_dict(given, strict=strict)

    @override
    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """Return an optimizer's whole state, on every rank: all of them must ask."""
        optimizer = getattr(optimizer, "_optimizer", optimizer)
        state = optimizer.state_dict()
        whole = {
            index: {name: _whole(value) for name, value in moments.items()}
            for index, moments in state["state"].items()
        }
        return {**state, "state": whole}

    @override
    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        for optimizer, state in zip(
            self.optimizers, checkpoint["optimizer_states"], strict=True
        ):
            weights = [w for group in optimizer.param_groups for w in group["params"]]
            placed = {
                index: {n: _placed(v, weights[index]) for n, v in moments.items()}
                for index, moments in state["state"].items()
            }
            optimizer.load_state_dict({**state, "state": placed})

    @override
    def load_checkpoint(
        self, checkpoint_path: Any, weights_only: bool | None = None
    ) -> dict[str, Any]:
        return self.checkpoint_io.load_checkpoint(
            checkpoint_path, weights_only=weights_only
        )

    @property
    def _learner(self) -> LightningModule:
        assert self.lightning_module is not None
        return self.lightning_module

    def _shard(self, model: LightningModule) -> None:
        if any(isinstance(weight, DTensor) for weight in model.parameters()):
            return  # it has been fitted, and now it is tested
        mesh = self.device_mesh["data_parallel"]
        for block in _blocks(model):
            fully_shard(
                block, mesh=mesh, reshard_after_forward=self.reshard_after_forward
            )
        fully_shard(model, mesh=mesh, reshard_after_forward=False)
        for name in CALLED:
            if hasattr(model, name):
                register_fsdp_forward_method(model, name)


def _blocks(model: nn.Module) -> Iterator[nn.Module]:
    for module in model.modules():
        if isinstance(module, nn.ModuleList):
            yield from (block for block in module if list(block.parameters()))


def _whole(value: Any) -> Any:
    return value.full_tensor().cpu() if isinstance(value, DTensor) else value


def _placed(value: Any, like: Any) -> Any:
    """Return a whole tensor sharded as another one is; anything else as it is."""
    is_whole = isinstance(value, Tensor) and not isinstance(value, DTensor)
    if not isinstance(like, DTensor) or not is_whole or value.shape != like.shape:
        return value
    value = value.to(like.device)
    # every process has read it, so none has to send it
    mesh, placements = like.device_mesh, like.placements
    return distribute_tensor(value, mesh, placements, src_data_rank=None)
