"""How far a run is: a bar on a terminal, plain lines in a log."""

import logging
import time
from collections.abc import Sequence
from typing import Any

from lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from typing_extensions import override

from nnlab.learner import Learner, examples
from nnlab.numerals import below_one
from nnlab.report.wording import GAP, first_fitting

BAR = 32  # columns, at least, for the bar and the epoch's number

log = logging.getLogger("nnlab.run")


class ProgressReport(Callback):
    """Loss, the validated metric, samples a second and the time left.

    It looks at the clock each step, and at the loss only when something is shown: a
    synchronisation with the device each step would cost more than the step.
    """

    def __init__(
        self,
        console: Console,
        *,
        bar_seconds: float,
        line_seconds: float,
        monitored: Sequence[str] = (),
    ) -> None:
        self.console = console
        self.bar_seconds, self.line_seconds = bar_seconds, line_seconds
        self.monitored = monitored
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._shown_at = self._line_at = 0.0
        self._started_at = 0.0
        self._steps_before = self._steps = self._total = 0
        self._samples = 0
        self._ranks = 1
        self._line_epoch = -1

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        batches = float(trainer.num_training_batches)
        epochs = trainer.max_epochs if trainer.max_epochs not in (None, -1) else None
        total = batches * epochs if epochs is not None else float("inf")
        if trainer.max_steps != -1:
            total = min(total, trainer.max_steps * trainer.accumulate_grad_batches)
        self._ranks = trainer.world_size
        self._total = 0 if total == float("inf") else int(total)
        self._steps = self._steps_before = trainer.fit_loop.total_batch_idx + 1
        self._started_at = self._line_at = time.monotonic()
        if self.console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[numbers]}"),
                console=self.console,
                auto_refresh=False,  # its thread would take the interpreter's lock
                transient=True,
                expand=True,
            )
            self._task = self._bar.add_task("", total=self._total or None, numbers="")
            self._bar.start()

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self._steps += 1
        self._samples += examples(batch) * self._ranks
        now = time.monotonic()
        if self._bar is not None:
            if now - self._shown_at > self.bar_seconds:
                self._shown_at = now
                self._bar.update(
                    self._task,
                    completed=self._steps,
                    description=f"epoch {self._epoch(trainer)}",
                    numbers=self._numbers(trainer, outputs["loss"].item(), BAR),
                    refresh=True,
                )
        elif now - self._line_at > self.line_seconds:
            self._line(trainer, outputs["loss"].item())

    @override
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # In a log a line a second is plenty, however short the epochs are.
        is_last = bool(self._total) and self._steps >= self._total
        if (
            time.monotonic() - self._line_at > 1
            or trainer.current_epoch == 0
            or is_last
        ):
            assert isinstance(pl_module, Learner)
            means = pl_module.meters["train"]
            loss = means.sums["loss"] / means.weight if means.weight else None
            self._line(trainer, loss)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.close()
        if self._line_epoch < trainer.current_epoch - 1:  # it stopped before the end
            loss = trainer.callback_metrics.get("train/loss")
            self._line(trainer, None if loss is None else float(loss), done=0)

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _line(self, trainer: Trainer, loss: float | None, done: int = 1) -> None:
        self._line_at = time.monotonic()
        self._line_epoch = trainer.current_epoch
        start = f"epoch {self._epoch(trainer, done)}{GAP}"
        log.info("%s%s", start, self._numbers(trainer, loss, len(start)))

    def _epoch(self, trainer: Trainer, done: int = 1) -> str:
        epochs = trainer.max_epochs
        done += trainer.current_epoch
        return (
            f"{done:>{len(str(epochs))}}/{epochs}"
            if epochs not in (None, -1)
            else str(done)
        )

    def _numbers(self, trainer: Trainer, loss: float | None, taken: int) -> str:
        """The loss, what was validated, the speed and the time left.

        Where the terminal, of which so much is taken, has no room for all of it, what
        decides least is left out: metrics.jsonl has it.
        """
        metrics = trainer.callback_metrics
        names = sorted(name for name in metrics if name.startswith("val/"))
        names.sort(key=self._rank)
        said = [f"{n} {below_one(float(metrics[n]), '.4f')}" for n in names]
        speed, *rest = self._speed()
        losses = [] if loss is None else [f"loss {loss:.4f}"]
        lines: list[list[list[str]]] = []
        for count in range(len(said) or 1, 0, -1):
            left_out = max(len(said) - count, 0)
            kept = [*said[:count], *([f"+{left_out} more"] if left_out else [])]
            lines += [[losses, kept, [speed, *rest]], [losses, kept, rest]]
        lines += [[losses, said[:1], rest], [said[:1] or losses, rest]]
        return first_fitting(lines, self.console.width - taken)

    def _rank(self, metric: str) -> int:
        """Those that decide something come first."""
        names = list(self.monitored)
        return names.index(metric) if metric in names else len(names)

    def _speed(self) -> list[str]:
        """Samples a second, and the time left where the run has an end."""
        seconds = max(time.monotonic() - self._started_at, 1e-9)
        parts = [f"{_short(self._samples / seconds)}/s"]
        done = self._steps - self._steps_before
        if self._total and done:
            left = seconds / done * max(0, self._total - self._steps)
            parts.append(f"{clock(left)} left")
        return parts


def clock(seconds: float) -> str:
    """Return 0:07, 12:30 or 3:00:00."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _short(rate: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= size:
            return f"{rate / size:.3g}{letter}"
    return f"{rate:.3g}"
