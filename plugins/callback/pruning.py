"""Magnitude pruning: the smallest weights become zeros, and stay so."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import torch
from lightning import Callback, LightningModule, Trainer
from matplotlib.figure import Figure
from torch import Tensor, nn
from typing_extensions import override

from nnlab.learner import Learner
from nnlab.limits import Count, Share
from nnlab.picture.canvas import FAINT, GREY, PALETTE, canvas, quieten
from nnlab.regularizer import choose, named_weights

from .rows import keep, log_row


class Pruning(Callback):
    """Prunes more and more between two moments of the run, and trains on.

    The share of zeros after a share t of the time between them is
    s = sparsity * (1 - (1 - t)^3): Zhu & Gupta 2018, "To prune, or not to prune",
    https://arxiv.org/abs/1710.01878, equation 1; by magnitude: Han et al. 2015,
    https://arxiv.org/abs/1506.02626. The zeros are in the weights themselves, under
    their own names: a checkpoint needs nothing but the model.

    Args:
        sparsity: the share of the chosen weights that are zero at the end.
        scope: `global` compares all weights with each other, `layer` each layer's own.
        begin, end: the shares of the run's steps between which it prunes.
        every_n_steps: how often it looks for the smallest.
        include, exclude: patterns on the weights' names.
    """

    brings: ClassVar[frozenset[str]] = frozenset({"pruned weights"})
    not_with: ClassVar[Mapping[str, str]] = {
        "sharded": "it compares whole weights, and each process holds a part of them",
        "own steps": "it prunes after the steps of one optimizer",
    }

    def __init__(
        self,
        *,
        sparsity: Share,
        scope: Literal["global", "layer"],
        begin: Share,
        end: Share,
        every_n_steps: Count,
        include: list[str],
        exclude: list[str],
    ) -> None:
        if begin > end:
            raise ValueError(
                f"callback.pruning.begin={begin} must not come after "
                f"callback.pruning.end={end}"
            )
        self.sparsity, self.scope = sparsity, scope
        self.begin, self.end, self.every_n_steps = begin, end, every_n_steps
        self.include, self.exclude = include, exclude
        self.masks: dict[str, Tensor] = {}  # False: zero, by weight
        self._chosen: dict[str, nn.Parameter] = {}
        self._remove: Callable[[], None] | None = None
        self._pruned_at = -1

    def check(self, learner: Learner, config: Mapping[str, Any]) -> None:
        """Refuse patterns that match no weight."""
        self._choose(learner)

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._chosen = self._choose(pl_module)
        self.masks = {
            name: self.masks.get(name, torch.ones_like(weight, dtype=torch.bool)).to(
                weight.device
            )
            for name, weight in self._chosen.items()
        }
        # Right after the step: whoever looks at the weights next sees the zeros.
        hook = trainer.optimizers[0].register_step_post_hook(self._apply_after)
        self._remove = hook.remove

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        step = trainer.global_step
        if step % self.every_n_steps or step == self._pruned_at:
            return
        self._pruned_at = step
        share = self.share_at(step / max(1, trainer.estimated_stepping_batches))
        if share > 0 and share > self._zeros() + 1e-9:
            self._prune(share)
            self._apply()
            log_row(trainer, {"pruning/sparsity": self._zeros()})

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        keep(trainer, "pruning", sparsity_picture(self.masks))
        self._take_out()

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._take_out()

    @override
    def state_dict(self) -> dict[str, Any]:
        masks = {name: mask.cpu() for name, mask in self.masks.items()}
        return {"masks": masks, "pruned_at": self._pruned_at}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.masks, self._pruned_at = state_dict["masks"], state_dict["pruned_at"]

    def share_at(self, place: float) -> float:
        """Return the share of zeros at a place in the run, from 0 to 1."""
        if place < self.begin:
            return 0.0
        span = self.end - self.begin
        done = min(1.0, (place - self.begin) / span) if span else 1.0
        return self.sparsity * (1 - (1 - done) ** 3)

    @torch.no_grad()
    def _prune(self, share: float) -> None:
        groups = [[name] for name in self._chosen]
        if self.scope == "global":
            groups = [list(self._chosen)]
        for names in groups:
            sizes = [
                # what is pruned stays so: it is smaller than anything
                torch.where(self.masks[name], self._chosen[name].abs().float(), -1.0)
                for name in names
            ]
            flat = torch.cat([size.flatten() for size in sizes])
            zeros = round(share * len(flat))
            kept = torch.ones(len(flat), dtype=torch.bool, device=flat.device)
            kept[flat.argsort(stable=True)[:zeros]] = False
            parts = kept.split([size.numel() for size in sizes])
            for name, part, size in zip(names, parts, sizes, strict=True):
                self.masks[name] = part.view_as(size)

    def _apply_after(self, *step: object) -> None:
        self._apply()

    @torch.no_grad()
    def _apply(self) -> None:
        for name, weight in self._chosen.items():
            weight.mul_(self.masks[name])

    def _zeros(self) -> float:
        kept = sum(int(mask.sum()) for mask in self.masks.values())
        return 1 - kept / sum(mask.numel() for mask in self.masks.values())

    def _choose(self, module: LightningModule) -> dict[str, nn.Parameter]:
        weights = {n: w for n, w in named_weights(module).items() if w.ndim > 1}
        names = choose(
            weights,
            include=self.include,
            exclude=self.exclude,
            where="callback.pruning",
            kind="weights",
        )
        return {name: weights[name] for name in names}

    def _take_out(self) -> None:
        if self._remove is not None:
            self._remove()
            self._remove = None


def sparsity_picture(masks: Mapping[str, Tensor]) -> Figure:
    """Draw the share of zeros of each weight, from input to output."""
    figure = canvas(4.6, max(1.6, 0.7 + 0.32 * len(masks)))
    axes = figure.add_subplot()
    shares = [1 - float(mask.float().mean()) for mask in masks.values()]
    bars = axes.barh(list(masks), shares, color=PALETTE[0], height=0.6)
    said = [f"{share:.0%}" for share in shares]
    axes.bar_label(bars, said, padding=3, fontsize=8, color=GREY)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.1), title="share of weights that are zero")
    axes.grid(color=FAINT, linewidth=0.6, axis="x")
    axes.set_axisbelow(True)
    quieten(axes)
    return figure
