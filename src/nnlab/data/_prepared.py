"""Text that `nnlab prepare` made into shards, read from where they lie."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from nnlab.batches import Batches
from nnlab.corpus.manifest import read_manifest
from nnlab.corpus.summary import few_hosts
from nnlab.data._shard_windows import OrderedWindows, Shards, ShuffledWindows
from nnlab.data._text import TextData
from nnlab.data_module import DataModule, Splits
from nnlab.errors import UserError
from nnlab.given.given import Examples, Given
from nnlab.layer.attention_mask import documents_of
from nnlab.limits import Count, Natural
from nnlab.numerals import counted
from nnlab.tokenizer.restore import tokenizer_from_state
from nnlab.tokenizer.tokenizer import Tokenizer


class PreparedText(DataModule):
    """Windows of the shards as (tokens, targets), both int64 (batch, context).

    Documents follow each other, with an end of text between two, and a window may hold
    parts of several. Each token sees all before it; where documents are kept apart, a
    third tensor, int64 (batch, context), says which one it is of.

    Args:
        folder: that `nnlab prepare` filled.
        tokenizer: of the kind that the folder was prepared with.
        batches_per_epoch: None: each window once, about.
        separates_documents: whether the model is told which document each token is of,
            so that attention does not reach beyond it.
        preparation: what `nnlab prepare` reads; the folder's plan holds what it was.
    """

    gives: ClassVar[str] = "text"

    def __init__(
        self,
        *,
        folder: str,
        tokenizer: Tokenizer | None,
        context_size: Count,
        batch_size: Count,
        evaluation_batch_size: Count,
        batches_per_epoch: Count | None,
        separates_documents: bool,
        seed: Natural,
        **preparation: Any,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            seed=seed,
        )
        del preparation
        self.folder = Path(folder).expanduser()
        self.context_size, self.batches_per_epoch = context_size, batches_per_epoch
        self.separates_documents = separates_documents
        manifest = read_manifest(self.folder)
        if manifest is None:
            raise UserError(
                f"data.folder={folder} is not prepared; nnlab prepare does it, or name "
                "the folder where it did"
            )
        self.manifest = manifest
        kind = manifest["tokenizer"]["kind"]
        if tokenizer is not None and tokenizer.kind != kind:
            raise UserError(
                f"data.folder={folder} was prepared with tokenizer={kind}, not "
                f"{tokenizer.kind}; give tokenizer={kind}, or prepare another folder"
            )
        state = (self.folder / "tokenizer.json").read_text(encoding="utf-8")
        self.tokenizer = tokenizer_from_state(json.loads(state))

    @override
    def facts(self) -> dict[str, int]:
        return {
            "vocabulary_size": self.tokenizer.vocabulary_size,
            "context_size": self.context_size,
        }

    @override
    def setup(self, stage: str | None = None) -> None:
        model = getattr(self.trainer, "lightning_module", None)
        takes_them = model is None or getattr(model, "takes_documents", False)
        if self.separates_documents and not takes_them:
            raise UserError(
                f"data.separates_documents=true needs a model whose attention takes a "
                f"mask, which {type(model).__name__} is not; give model=gpt, or false"
            )
        super().setup(stage)

    @override
    def load(self) -> Splits:
        train, validation = (self._rows(split) for split in ("train", "validation"))
        return Splits(train, validation, validation)

    @override
    def prepare(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        [window] = batch
        tokens, targets = window[:, :-1], window[:, 1:]
        if not self.separates_documents:
            return tokens, targets
        end = self.tokenizer.special["end_of_text"]
        return tokens, targets, documents_of(tokens, end)

    @override
    def read(self, given: Given) -> Examples:
        return TextData.read(cast(TextData, self), given)  # which asks the tokenizer

    @override
    def derived(self, stage: str, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return bits per byte from the loss in nats per token: whatever the tokenizer.

        Args:
            stage: train, val or test.
            means: of a whole epoch; `loss` is the cross-entropy.
        """
        shards = self._shards("train" if stage == "train" else "validation")
        tokens, size = (
            sum(each[name] for each in shards) for name in ("tokens", "bytes")
        )
        scale = tokens / (size * math.log(2))
        return {"bits_per_byte": means["loss"] * scale} if "loss" in means else {}

    @override
    def _batches(
        self, split: str, *, batch_size: int, seed: int | None = None, repeats: int = 1
    ) -> Batches:
        self.setup()
        tensors: tuple[Tensor, ...] = getattr(self.splits, split)
        shards = Shards([each.numpy() for each in tensors], self.context_size)
        rank, ranks = self.rank_of_ranks()
        if seed is not None:
            return ShuffledWindows(
                shards,
                batch_size=batch_size,
                batches=self.batches_per_epoch,
                seed=seed,
                rank=rank,
                ranks=ranks,
            )
        windows = len(shards.successive()[0])
        if windows < ranks:
            raise UserError(
                f"trainer.devices gives {ranks} processes for the "
                f"{counted(windows, 'window')} of the {split} split; give at most "
                f"{windows}"
            )
        return OrderedWindows(shards, batch_size=batch_size, rank=rank, ranks=ranks)

    def _shards(self, split: str) -> list[dict[str, Any]]:
        shards = self.manifest["shards"]
        return [each for each in shards if each["split"] == split and each["tokens"]]

    def _rows(self, split: str) -> tuple[Tensor, ...]:
        """Return a split's shards as tensors that lie on disk.

        Raises:
            UserError: where one is missing or cut, or they fill no window.
        """
        rows = [self._mapped(shard, split) for shard in self._shards(split)]
        least = 2 * self.context_size if split == "train" else self.context_size + 1
        if max(map(len, rows), default=0) < least:
            raise UserError(self._too_short(split, sum(map(len, rows))))
        return tuple(torch.from_numpy(row) for row in rows)

    def _mapped(self, shard: Mapping[str, Any], split: str) -> NDArray[Any]:
        [name] = [name for name in shard["files"] if name.endswith(f".{split}.bin")]
        file, dtype = self.folder / name, self.tokenizer.dtype
        size = shard["files"][name]["size"]
        if not file.is_file() or file.stat().st_size != size:
            raise UserError(
                f"{file} is missing or cut; delete {self.folder} and prepare it again"
            )
        # "c": nothing is written back, and torch takes it for writable, as it wants
        return np.asarray(np.memmap(file, dtype, "c"))

    def _too_short(self, split: str, tokens: int) -> str:
        held = counted(tokens, "token")
        what = f"data.folder={self.folder} has {held} in its {split} split"
        if split == "train":
            return f"{what}: give a smaller data.context_size, or prepare more files"
        return f"{what}: {few_hosts(self.manifest)}"
