"""ForwardRegularizer: hooks in the forward pass, taken out again when the fit ends."""

from collections.abc import Callable, Iterator

from lightning import LightningModule, Trainer
from typing_extensions import override

from nnlab.regularizer.regularizer import Regularizer


class ForwardRegularizer(Regularizer):
    """Puts something into the network before the optimizer is made, and takes it out.

    Random numbers come from torch's global generator, which `Learner` seeds for each
    batch by (seed, epoch, batch, rank): a run that continues draws the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self._removals: list[Callable[[], None]] = []

    def put_in(self, model: LightningModule) -> Iterator[Callable[[], None]]:
        """Put hooks in; yield after each what takes it out again (`handle.remove`)."""
        raise NotImplementedError

    @override
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "fit":
            for removal in self.put_in(pl_module):
                self._removals.append(removal)

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

    def _take_out(self) -> None:
        while self._removals:
            self._removals.pop()()
