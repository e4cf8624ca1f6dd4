"""Writes each metric as a line `step name value`, in my_plugin.txt of the run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.loggers import Logger
from typing_extensions import override


class MyPlugin(Logger):
    """A text file; nnlab says where it lies (`save_dir`, the run's folder)."""

    def __init__(self, *, save_dir: str, name: str, version: str) -> None:
        super().__init__()
        self._name, self._version = name, version
        self._file = Path(save_dir) / "my_plugin.txt"

    @property
    @override
    def name(self) -> str:
        return self._name

    @property
    @override
    def version(self) -> str:
        return self._version

    @override
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: the run's config.yaml holds them."""

    @override
    @rank_zero_only
    def log_metrics(
        self, metrics: Mapping[str, float], step: int | None = None
    ) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            for name, value in metrics.items():
                file.write(f"{step} {name} {value:.6g}\n")
