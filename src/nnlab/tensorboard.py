"""TensorBoard's curves, at the price of one event a step."""

from collections.abc import Mapping
from typing import Any

from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore
from typing_extensions import override

from nnlab.limits import Count, Natural


class TensorBoard(TensorBoardLogger):
    """Lightning's logger, which writes all that is logged at a step as one event.

    Lightning writes an event for each scalar: each wakes the thread that writes, and
    four of them cost as much as a training step of a small network.

    Args:
        save_dir, name, version, log_graph, default_hp_metric, prefix, sub_dir: as
            Lightning's logger takes them.
        comment, purge_step, max_queue, flush_secs, filename_suffix: as torch's
            `SummaryWriter` does; Lightning would take anything, to be refused too late.
    """

    def __init__(
        self,
        save_dir: str,
        name: str | None = "lightning_logs",
        version: int | str | None = None,
        log_graph: bool = False,
        default_hp_metric: bool = True,
        prefix: str = "",
        sub_dir: str | None = None,
        *,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: Natural = 10,
        flush_secs: Count = 120,
        filename_suffix: str = "",
    ) -> None:
        super().__init__(
            save_dir,
            name,
            version,
            log_graph,
            default_hp_metric,
            prefix,
            sub_dir,
            comment=comment,
            purge_step=purge_step,
            max_queue=max_queue,
            flush_secs=flush_secs,
            filename_suffix=filename_suffix,
        )

    @override
    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        if not all(isinstance(value, int | float) for value in metrics.values()):
            super().log_metrics(metrics, step)  # tensors, and dictionaries of curves
            return
        prefix = f"{self._prefix}{self.LOGGER_JOIN_CHAR}" if self._prefix else ""
        values: list[Any] = [
            Summary.Value(tag=f"{prefix}{name}", simple_value=value)
            for name, value in metrics.items()
        ]
        writer = self.experiment._get_file_writer()  # pyright: ignore[reportPrivateUsage]
        writer.add_summary(Summary(value=values), step)
