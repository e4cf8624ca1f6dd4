"""Lightning's loop over an epoch's batches, its usual step taken without detours.

What is not the usual case, one process and one optimizer under automatic optimization,
is left to Lightning's own step.
"""

from lightning.pytorch.loops.fetchers import (
    _DataFetcher,  # pyright: ignore[reportPrivateUsage]
)
from lightning.pytorch.loops.training_epoch_loop import (
    _TrainingEpochLoop,  # pyright: ignore[reportPrivateUsage]
)
from typing_extensions import override

from nnlab.usual_step import UsualStep, is_usual


class EpochLoop(_TrainingEpochLoop):
    """Takes the usual steps itself, and leaves all others to Lightning's loop."""

    _step: UsualStep | None = None  # of the epoch that runs
    _validates = False

    @override
    def run(self, data_fetcher: _DataFetcher) -> None:
        try:
            super().run(data_fetcher)
        finally:
            self._step = None

    @override
    def on_run_start(self, data_fetcher: _DataFetcher) -> None:
        super().on_run_start(data_fetcher)
        if is_usual(self.trainer, data_fetcher):
            data_fetcher._start_profiler = data_fetcher._stop_profiler = _nothing  # pyright: ignore
            self._validates = super()._should_check_val_epoch()
            self._step = UsualStep(self, data_fetcher)

    @override
    def advance(self, data_fetcher: _DataFetcher) -> None:
        if self._step is None or self.restarting:
            super().advance(data_fetcher)
        else:
            self._step.take()

    @override
    def on_advance_end(self, data_fetcher: _DataFetcher) -> None:
        trainer = self.trainer
        if (
            self._step is None
            or self._skip_next_val
            or trainer.should_stop
            or trainer.received_sigterm
            or self._should_check_val_fx(data_fetcher)
        ):
            super().on_advance_end(data_fetcher)
        elif not self._should_accumulate():
            self._batches_that_stepped += 1

    @override
    def _should_accumulate(self) -> bool:
        known = None if self._step is None else self._step.accumulates
        return super()._should_accumulate() if known is None else known

    @override
    def _should_check_val_epoch(self) -> bool:
        if self._step is None:
            return super()._should_check_val_epoch()
        return self._validates  # nothing changes it within an epoch


def _nothing() -> None:
    pass
