"""Units that no longer learn: of no example of an epoch comes a gradient."""

from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from typing_extensions import override

from nnlab.picture.curves import Series, curves

from .rows import keep, log_row

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


class DeadUnits(Callback):
    """Logs after each epoch how many of a layer's units were dead all through it.

    A unit (a row of a linear layer, a map of a convolution) is dead where its weights
    and bias got a gradient of exactly 0 from every batch: a rectifier that is never
    switched on (Lu et al. 2019, https://arxiv.org/abs/1903.06733). Looking at gradients
    finds it whether the activation is a module or a function. The output layer is
    counted like the others. Gradients are seen before regularizers add to them.
    """

    def __init__(self) -> None:
        self._alive: dict[str, Tensor] = {}  # (units,) whether any gradient came
        self.counts: dict[str, list[tuple[int, float]]] = {}  # step, share by layer

    @override
    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        for name, layer in pl_module.named_modules():
            weight = getattr(layer, "weight", None)
            if not isinstance(layer, LAYERS) or weight is None or weight.grad is None:
                continue
            alive = weight.grad.detach().flatten(1).count_nonzero(dim=1) > 0
            if layer.bias is not None and layer.bias.grad is not None:
                alive |= layer.bias.grad.detach() != 0
            before = self._alive.get(name)
            self._alive[name] = alive if before is None else before.to(alive) | alive

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self._alive:
            return
        dead = {name: float((~alive).sum()) for name, alive in self._alive.items()}
        units = {name: len(alive) for name, alive in self._alive.items()}
        row = {f"dead_units/{name}": count for name, count in dead.items()}
        log_row(trainer, {**row, "dead_units/all": sum(dead.values())})
        for name, count in dead.items():
            points = self.counts.setdefault(name, [])
            points.append((trainer.global_step, count / units[name]))
        self._alive = {}

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        series: dict[str, Series] = {
            name: ([n for n, _ in points], [share for _, share in points])
            for name, points in self.counts.items()
        }
        dead = [name for name in series if max(series[name][1]) > 0]
        worst = sorted(dead, key=lambda name: -max(series[name][1]))[:6]
        if worst:
            shown = {name: series[name] for name in series if name in worst}
            only = f" of {worst[0]}" if len(worst) == 1 else ""
            picture = curves(shown, title=f"share of dead units{only}", is_log=False)
            picture.axes[0].set_ylim(-0.02, 1.02)
            keep(trainer, "dead_units", picture)

    @override
    def state_dict(self) -> dict[str, Any]:
        alive = {name: each.cpu() for name, each in self._alive.items()}
        counts = {name: list(points) for name, points in self.counts.items()}
        return {"alive": alive, "counts": counts}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._alive, self.counts = state_dict["alive"], state_dict["counts"]
