"""How many multiplications and additions a step takes, and where."""

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from lightning import Callback, LightningModule, Trainer
from torch.utils.flop_counter import FlopCounterMode
from typing_extensions import override

from nnlab.learner import Learner, examples

from .rows import is_due, keep, log_row
from .trial import NOT_WITH, Trial, own_randomness

log = logging.getLogger("nnlab.run")


class Flops(Callback):
    """Counts both passes of the first batch, on a copy, and writes a table by layer.

    Matrix products, convolutions and attention are counted (a multiplication and an
    addition are 2), by `torch.utils.flop_counter`; what is element by element is not.
    `flops/total` grows with the steps: the compute that a result took.
    """

    not_with: ClassVar[Mapping[str, str]] = NOT_WITH

    def __init__(self) -> None:
        self.per_batch = 0
        self._seen = 0
        self.total = 0

    @override
    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if self.per_batch:
            return
        assert isinstance(pl_module, Learner)
        forward, both = _counted(trainer, pl_module, batch)
        self.per_batch = both.get_total_flops()
        count = examples(batch)
        log.info(
            "a batch of %s takes %s floating point operations, %s an example forward",
            *(
                f"{count:,}",
                short(self.per_batch),
                short(forward.get_total_flops() / count),
            ),
        )
        order = [name for name, _ in pl_module.named_modules()]
        keep(trainer, "flops", table(forward, count, order))

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self.total += self.per_batch * trainer.world_size
        step = trainer.global_step
        if step != self._seen and is_due(trainer, step):
            log_row(trainer, {"flops/total": self.total})
        self._seen = step

    @override
    def state_dict(self) -> dict[str, Any]:
        return {"total": self.total, "per_batch": self.per_batch, "seen": self._seen}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.total, self.per_batch = state_dict["total"], state_dict["per_batch"]
        self._seen = state_dict["seen"]


def table(forward: FlopCounterMode, count: int, order: list[str]) -> str:
    """Return a line a module, in that order: one example's forward pass, its share."""
    found = {
        name.partition(".")[2]: sum(operators.values())
        for name, operators in forward.get_flop_counts().items()
        if name != "Global"
    }
    counts = {name or "all": found[name] for name in order if name in found}
    total = max(1, forward.get_total_flops())
    width = max(len(name) for name in [*counts, "layer"])
    lines = [f"{'layer':{width}}  {'forward':>9}  {'share':>6}"]
    for name, flops in counts.items():
        lines.append(
            f"{name:{width}}  {short(flops / count):>9}  {flops / total:>6.1%}"
        )
    return "\n".join(lines) + "\n"


def _counted(
    trainer: Trainer, learner: Learner, batch: Any
) -> tuple[FlopCounterMode, FlopCounterMode]:
    with own_randomness(learner):
        trial = Trial(trainer, learner)
        with FlopCounterMode(display=False, depth=9) as both:
            trial.step(batch)
        with FlopCounterMode(display=False, depth=9) as forward:
            trial.loss(batch)
    return forward, both


def short(count: float) -> str:
    """Return 1.2 G, 35 M or 704."""
    for size, letter in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {letter}"
    return f"{count:.3g}"
