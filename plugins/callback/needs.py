"""What a callback needs of a run, asked before anything is trained."""

from collections.abc import Mapping
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger

from nnlab.errors import UserError
from nnlab.tensorboard import TensorBoard


def need_tensorboard(name: str, config: Mapping[str, Any]) -> None:
    """Raise UserError where the run has no TensorBoard logger."""
    kinds = tuple(f".{kind.__name__}" for kind in (TensorBoard, TensorBoardLogger))
    nodes = (config["logger"] or {}).values()
    if not any(str(node.get("_target_", "")).endswith(kinds) for node in nodes):
        raise UserError(
            f"callback={name} writes to TensorBoard, and the run has no "
            "logger=tensorboard"
        )
