"""A finished run in Python: its model, its data, and what came out.

checkpoint -> config -> model with its weights; data, once they are asked for
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from lightning import LightningDataModule
from typing_extensions import override

from nnlab.build import Config, build_model, make
from nnlab.checkpoint import Content, read_checkpoint
from nnlab.errors import UserError
from nnlab.folder import checkpoint_file
from nnlab.learner import Learner
from nnlab.older import MODEL, completed
from nnlab.plugins import find_plugins
from nnlab.report.run_reading import RunReading
from nnlab.tokenizer.restore import tokenizer_from_state

STAGES = {"train": "fit", "val": "validate", "test": "test"}  # Lightning's, by split


@dataclass(frozen=True)
class LoadedRun(RunReading):
    """What `nnlab.load` returns: all that a run's folder tells, its model and its data.

    Attributes:
        checkpoint: the file that the weights are from.
        model: on the CPU, in eval mode, in float32. It takes numbers as the data
            prepare them (images normalised, text as token ids), which `batches` gives.
        saved: the config, and the tokenizer's state, as the checkpoint holds them.
    """

    checkpoint: Path
    model: Learner = field(repr=False)
    saved: Content = field(repr=False, compare=False)

    @cached_property
    @override
    def config(self) -> Config:
        return self.saved["config"]

    @cached_property
    def data(self) -> LightningDataModule:
        """The run's data, with its tokenizer; read once they are asked for a batch."""
        config = completed(self.config, f"run={self.path}", ["data"])
        data = make(config["data"], "data", find_plugins())
        if "tokenizer" in self.saved:
            data.tokenizer = tokenizer_from_state(self.saved["tokenizer"])
        self.model.class_names = getattr(data, "class_names", ())
        return data

    def batches(self, split: Literal["train", "val", "test"] = "test") -> Iterator[Any]:
        """Return a split's batches as the model takes them: prepared, on its device.

        Raises:
            UserError: where there is no such split, or the data are missing.
        """
        if split not in STAGES:
            raise UserError(f"split={split} must be train, val or test")
        self.data.prepare_data()
        self.data.setup(STAGES[split])
        return map(self._prepared, getattr(self.data, f"{split}_dataloader")())

    def _prepared(self, batch: Any) -> Any:
        # What Lightning does around each batch: nnlab's data normalise in the last.
        batch = self.data.on_before_batch_transfer(batch, 0)
        batch = self.data.transfer_batch_to_device(batch, self.model.device, 0)
        return self.data.on_after_batch_transfer(batch, 0)


def load(run: str | Path, *, checkpoint: str = "best") -> LoadedRun:
    """Rebuild a run from its checkpoint; see `nnlab.load`."""
    place = run if run == "latest" else str(Path(run).expanduser())
    file = checkpoint_file(str(place), checkpoint)
    content = read_checkpoint(file)
    config = completed(content["nnlab"]["config"], f"run={run}", MODEL)
    with torch.random.fork_rng(devices=[]):  # random weights, which are written over
        model = build_model(config, find_plugins())
    model.load_state_dict(content["state_dict"])
    folder = file.parent
    if (folder.parent / "config.yaml").is_file():  # else it is a checkpoint by itself
        folder = folder.parent
    saved = {**content["nnlab"], "config": config}
    return LoadedRun(folder, checkpoint=file, model=model.eval(), saved=saved)
