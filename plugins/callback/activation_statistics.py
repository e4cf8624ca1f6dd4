"""What each layer gives out: mean, spread, and how much of it is zero."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from typing_extensions import override

from .layers import leaves
from .profile_picture import layer_profile
from .rows import is_due, keep, log_row

MOST_ROWS = 200
UNCHANGING = (nn.Dropout, nn.Dropout2d, nn.Identity, nn.Flatten, nn.Unflatten)


class ActivationStatistics(Callback):
    """Logs the spread (a standard deviation) of each layer's output, mean and zeros.

    Spreads that shrink or grow from layer to layer are what initialisations are made to
    prevent (Glorot & Bengio 2010; He et al. 2015, https://arxiv.org/abs/1502.01852);
    the picture draws them from input to output. Hooks are in place only for the steps
    that are logged. What a model computes by functions instead of modules is not seen,
    nor what was compiled.
    """

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, float]] = {}  # standard deviations by step
        self._sums: dict[str, Tensor] = {}  # sum, sum of squares, zeros, count
        self._remove: list[Callable[[], None]] = []

    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if is_due(trainer, trainer.global_step + 1) and not self._remove:
            for name, layer in leaves(pl_module).items():
                if isinstance(layer, UNCHANGING):
                    continue
                hook = layer.register_forward_hook(partial(self._note, name))
                self._remove.append(hook.remove)

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self._take_out()
        sums, self._sums = self._sums, {}
        if not sums:
            return
        total, squares, zeros, count = torch.stack(list(sums.values())).cpu().T
        mean = total / count
        spread = (squares / count - mean**2).clamp(min=0).sqrt()
        row: dict[str, float] = {}
        for place, name in enumerate(sums):
            row[f"activation/{name}"] = float(spread[place])
            row[f"activation_mean/{name}"] = float(mean[place])
            row[f"activation_zeros/{name}"] = float(zeros[place] / count[place])
        self.rows[trainer.global_step] = dict(zip(sums, spread.tolist(), strict=True))
        if len(self.rows) > MOST_ROWS:
            self.rows = dict(list(self.rows.items())[::2])
        log_row(trainer, row)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        layers = list(next(iter(self.rows.values()), {}))  # in the order of their use
        if layers:
            title = "standard deviation of the outputs, input to output"
            keep(trainer, "activations", layer_profile(self.rows, layers, title=title))

    @override
    def teardown(
        self, trainer: Trainer, pl_module: LightningModule, stage: str
    ) -> None:
        self._take_out()

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._take_out()

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"rows": {step: dict(row) for step, row in self.rows.items()}}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = dict(state_dict["rows"])

    def _note(self, name: str, layer: nn.Module, inputs: Any, output: Any) -> None:
        while isinstance(output, tuple | list) and output:
            output = output[0]  # of a recurrent layer: its outputs, then its state
        if not isinstance(output, Tensor) or not output.is_floating_point():
            return
        x = output.detach().double() if output.device.type == "cpu" else output.detach()
        zeros = (x == 0).sum().to(x.dtype)
        count = torch.tensor(x.numel(), dtype=x.dtype, device=x.device)
        sums = torch.stack([x.sum(), x.square().sum(), zeros, count])
        before = self._sums.get(name)
        self._sums[name] = sums if before is None else before + sums

    def _take_out(self) -> None:
        while self._remove:
            self._remove.pop()()
