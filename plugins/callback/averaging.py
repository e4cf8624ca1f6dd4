"""Averaging: trained are the weights; validated, tested and saved their average."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor
from typing_extensions import override

Weights = dict[str, Tensor]


class Averaging(Callback):
    """Keeps an average of all weights and buffers of floats, beside the trained ones.

    A checkpoint's `state_dict` holds the average, so that the model is rebuilt from it
    alone as it was validated; what training goes on from is in this callback's state.
    Whole numbers (the batches that a normalisation has seen) are copied.
    """

    brings: ClassVar[frozenset[str]] = frozenset({"averaged weights"})
    not_with: ClassVar[Mapping[str, str]] = {
        "sharded": "it averages whole weights, and each process holds a part of them",
        "two players": "it would average both players of a game as one model",
        "averaged weights": "one average is enough: keep one of them",
        "pruned weights": "an average brings back what was pruned",
    }

    def __init__(self) -> None:
        self.averages: Weights = {}  # by the names of the state dict
        self.updates = 0
        self._trained: Weights | None = None  # while the averages are in the model

    @torch.no_grad()
    def take_in(self, module: LightningModule, share: float) -> None:
        """Move the averages towards the weights by a share; at first all the way."""
        weights = _floats(module.state_dict())
        if not self.updates:
            self.averages = {
                name: (weight.float() if weight.element_size() < 4 else weight.clone())
                for name, weight in weights.items()
            }
        else:
            averages = [self.averages[name] for name in weights]
            now = [
                weight.to(average.dtype)
                for weight, average in zip(weights.values(), averages, strict=True)
            ]
            torch._foreach_lerp_(averages, now, share)  # pyright: ignore
        self.updates += 1

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        device = pl_module.device  # of a run that continues: they came on the CPU
        self.averages = {name: x.to(device) for name, x in self.averages.items()}

    @override
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.state.fn == TrainerFn.FITTING and self.updates:
            self._put_in(pl_module)

    # Pictures that are drawn after the validation are of the averages as well; whatever
    # comes next of these takes them out.
    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._take_out(pl_module)

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._take_out(pl_module)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._take_out(pl_module)

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._take_out(pl_module)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"updates": self.updates}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.updates = state_dict["updates"]

    @override
    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if not self.updates:
            return
        weights: Weights = checkpoint["state_dict"]
        state = checkpoint["callbacks"][self.state_key]
        state["trained"] = {**weights, **(self._trained or {})}
        # Averages of halves are kept in 32 bits, which the model's own cannot hold.
        state["precise"] = {
            name: x
            for name, x in self.averages.items()
            if x.dtype != weights[name].dtype
        }
        checkpoint["state_dict"] = {
            name: self.averages[name].to(x.dtype) if name in self.averages else x
            for name, x in weights.items()
        }

    @override
    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        state = checkpoint["callbacks"].get(self.state_key, {})
        if trainer.state.fn != TrainerFn.FITTING or "trained" not in state:
            return  # to be tested is what was validated
        averages = _floats(checkpoint["state_dict"])
        self.averages = {name: x.clone() for name, x in averages.items()}
        self.averages |= state["precise"]
        _copy(state["trained"], pl_module)

    def _put_in(self, module: LightningModule) -> None:
        if self._trained is None:
            weights = _floats(module.state_dict())
            self._trained = {name: weight.clone() for name, weight in weights.items()}
            _copy(self.averages, module)

    def _take_out(self, module: LightningModule) -> None:
        if self._trained is not None:
            _copy(self._trained, module)
            self._trained = None


def _floats(weights: Mapping[str, Tensor]) -> Weights:
    return {name: x for name, x in weights.items() if x.is_floating_point()}


@torch.no_grad()
def _copy(weights: Weights, module: LightningModule) -> None:
    own = module.state_dict()
    for name, weight in weights.items():
        own[name].copy_(weight)
