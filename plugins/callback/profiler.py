"""Where the time of some steps goes: a Chrome trace, TensorBoard, a table."""

import logging
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from torch.profiler import ProfilerActivity, profile, schedule
from torch.profiler import supported_activities as activities_here
from typing_extensions import override

from nnlab.limits import Count, Natural

log = logging.getLogger("nnlab.run")

ROWS = 30


class Profiler(Callback):
    """Traces a few steps by torch.profiler, once the run has warmed up.

    In the run's folder: `profile/trace.json` for chrome://tracing or
    https://ui.perfetto.dev, `profile/operators.txt` for reading, and the same trace
    under `tensorboard/` for TensorBoard's profile plugin (torch-tb-profiler). A run
    that ends before the steps are over keeps what there is.

    Args:
        wait, warmup, steps: how many batches are left out, traced and thrown away, and
            traced.
        shapes, memory, stack: record the tensors' shapes, what they allocate, and the
            lines of code; each costs time.
    """

    def __init__(
        self,
        *,
        wait: Natural,
        warmup: Natural,
        steps: Count,
        shapes: bool,
        memory: bool,
        stack: bool,
    ) -> None:
        self.plan = {"wait": wait, "warmup": warmup, "active": steps, "repeat": 1}
        self.shapes, self.memory, self.stack = shapes, memory, stack
        self._profile: profile | None = None
        self._done = 0

    @override
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        wanted = {ProfilerActivity.CPU}
        if pl_module.device.type == "cuda":
            wanted.add(ProfilerActivity.CUDA)
        self._done = 0
        self._profile = profile(
            activities=wanted & set(activities_here()),
            schedule=schedule(**self.plan),
            record_shapes=self.shapes,
            profile_memory=self.memory,
            with_stack=self.stack,
        )
        self._profile.start()

    @override
    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if self._profile is None:
            return
        self._profile.step()
        self._done += 1
        if self._done == sum(self.plan.values()) - self.plan["repeat"]:
            self._finish(trainer)

    @override
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        before = self.plan["wait"] + self.plan["warmup"]
        if self._profile is not None and self._done <= before:
            log.warning(
                "profiler: the run ended after %s batches, before the first of %s that "
                "is traced; lower callback.profiler.wait",
                *(self._done, before + 1),
            )
            self._stop()
        self._finish(trainer)

    @override
    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self._stop()

    def _finish(self, trainer: Trainer) -> None:
        profiled = self._stop()
        if profiled is None:
            return
        folder = Path(trainer.default_root_dir)
        (folder / "profile").mkdir(exist_ok=True)
        trace = folder / "profile/trace.json"
        profiled.export_chrome_trace(str(trace))
        if (folder / "tensorboard").is_dir():
            # the name by which TensorBoard's plugin knows a trace
            copy = folder / "tensorboard/nnlab.pt.trace.json"
            copy.write_bytes(trace.read_bytes())
        on_gpu = ProfilerActivity.CUDA in profiled.activities
        order = "self_device_time_total" if on_gpu else "self_cpu_time_total"
        averages: Any = profiled.key_averages()
        text = averages.table(sort_by=order, row_limit=ROWS, max_name_column_width=40)
        (folder / "profile/operators.txt").write_text(text, encoding="utf-8")
        log.info("profiler: %s, and operators.txt beside it", trace)

    def _stop(self) -> profile | None:
        profiled, self._profile = self._profile, None
        if profiled is not None:
            profiled.stop()
        return profiled
