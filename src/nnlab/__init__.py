"""nnlab: a lab bench for neural architectures."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from nnlab.loaded import LoadedRun

__version__ = "0.1.0"


def load(run: "str | Path", *, checkpoint: str = "best") -> "LoadedRun":
    """Load a run: its `model` with its weights, its `data`, `config` and `metrics`.

        run = nnlab.load("outputs/lenet5_mnist/…")
        for image, digit in run.batches("test"):
            scores = run.model(image)

    Nothing is written, and no seed or number of threads is set.

    Args:
        run: its folder, or a checkpoint; `latest` is the newest below ./outputs.
        checkpoint: of the folder's two, best (what the run was tested with) or last.

    Raises:
        UserError: where there is none, or it cannot be read; a `ValueError`.
    """
    from nnlab.loaded import load  # and torch, which `import nnlab` does without

    return load(run, checkpoint=checkpoint)
