"""TensorBoard's curves, at the price of one event a step."""

from collections.abc import Mapping
from typing import Any

from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore
from typing_extensions import override


class TensorBoard(TensorBoardLogger):
    """Lightning's logger, which writes all that is logged at a step as one event.

    Lightning writes an event for each scalar: each wakes the thread that writes, and
    four of them cost as much as a training step of a small network.
    """

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
