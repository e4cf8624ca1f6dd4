"""DataModule: the one base class of every data set that lies in memory."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from lightning import LightningDataModule
from torch import Tensor

from nnlab.batches import Batches, mix
from nnlab.errors import UserError
from nnlab.given.given import Examples, Given, Served, in_batches
from nnlab.given.rows import read_rows
from nnlab.numerals import counted
from nnlab.replay import place_in_epoch

SHARE_OF_DEVICE = 0.1  # of a GPU's free memory that a split may take: the model's first
# types that CUDA does not pick rows of
PICKABLE = {torch.uint16: torch.int32, torch.uint32: torch.int64}


class Splits(NamedTuple):
    """Three sets of examples; each a tuple of equally long tensors.

    They never overlap, except where the examples are all there is (a truth table).
    """

    train: tuple[Tensor, ...]
    validation: tuple[Tensor, ...]
    test: tuple[Tensor, ...]


class DataModule(LightningDataModule):
    """Small data as tensors, served as whole batches by index.

    A data set answers three questions: `facts()`, what does it offer a model; `load()`,
    what are its splits, as compact as they can be stored (uint8 images); and
    `prepare(batch)`, what becomes of a batch once it is on the device (scaled floats).
    A fourth has a default: `read(given)`, what a person's own examples look like.

    Its place in the epoch is part of the checkpoint.

    Attributes:
        class_names: what the labels stand for, where that is more than their number.
        asked: what `predict_dataloader` serves instead of the test set.
        gives: what an example is, in words that a person who chooses data would use;
            sets that give the same fit the same models. "" is said nothing of.
    """

    gives: ClassVar[str] = ""
    class_names: Sequence[str] = ()

    def __init__(
        self,
        *,
        batch_size: int,
        seed: int,
        evaluation_batch_size: int | None = None,
        repeats: int = 1,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.evaluation_batch_size = evaluation_batch_size or batch_size
        self.seed = seed
        self.repeats = repeats
        self.splits: Splits | None = None
        self._on_device: dict[str, tuple[Tensor, ...]] = {}
        self._train: Batches | None = None
        self._place: dict[str, int] = {}
        self.ranks: int | None = None  # to serve, without a trainer that knows
        self.asked: list[tuple[Tensor, ...]] | None = None

    def facts(self) -> dict[str, int]:
        """Return what a model may need to know, by the names of this room's README."""
        raise NotImplementedError

    def load(self) -> Splits:
        """Return the splits. Raises `UserError` where data are missing or damaged."""
        raise NotImplementedError

    def prepare(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the batch as the model takes it; runs on the model's device."""
        return batch

    def scaled(self, inputs: Tensor) -> Tensor | None:
        """Return what `prepare` makes of the first part of a batch, by itself.

        An exported model then takes inputs as they are stored; None: as prepared.
        """
        return None

    def read(self, given: Given) -> Examples:
        """Return what a person gave, in batches that `prepare` takes.

        By default rows of `input_size` numbers, each with its label or -1.

        Raises:
            UserError: where it is nothing that these data read.
        """
        facts = self.facts()
        if "input_size" not in facts:
            raise UserError("these data do not say how an input of theirs is read")
        rows = read_rows(
            given, columns=facts["input_size"], classes=facts.get("classes")
        )
        return in_batches(rows.names, rows.numbers, rows.labels)

    def derived(self, stage: str, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what the data make of a stage's means: nats a token, bits a byte."""
        return {}

    def setup(self, stage: str | None = None) -> None:
        if self.splits is None and stage != "predict":  # which may be asked anything
            self.splits = self.load()

    @property
    def is_training(self) -> bool:
        """Whether the batch that `prepare` is given is trained on."""
        return self.trainer is not None and self.trainer.training

    def generator(self) -> torch.Generator:
        """Return random numbers to change this training batch with.

        They are a function of (seed, epoch, position, rank): a run that continues in
        the middle of an epoch draws what it would have drawn.
        """
        assert self.trainer is not None
        position = self.trainer.fit_loop.epoch_loop.batch_progress.current.ready
        place = (self.trainer.current_epoch, position, self.trainer.global_rank)
        return torch.Generator().manual_seed(mix(self.seed, *place))

    def train_dataloader(self) -> Batches:
        self._train = self._batches(
            "train", batch_size=self.batch_size, seed=self.seed, repeats=self.repeats
        )
        self._train.resume(**self._place)
        return self._train

    def val_dataloader(self) -> Batches:
        return self._batches("validation", batch_size=self.evaluation_batch_size)

    def test_dataloader(self) -> Batches:
        return self._batches("test", batch_size=self.evaluation_batch_size)

    def predict_dataloader(self) -> Batches | Served:
        """Serve what is `asked`; the test set where nothing is."""
        return self.test_dataloader() if self.asked is None else Served(self.asked)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return self.converted(self.prepare(batch))

    def converted(self, batch: Any) -> Any:
        """Return the batch in the weights' type, where that is of 16 or 64 bits."""
        if self.trainer is None:
            return batch
        return self.trainer.precision_plugin.convert_input(batch)

    def check_ranks(self, ranks: int) -> None:
        """Check that each of so many processes gets a part of every split.

        Raises:
            UserError: where there are too few examples.
        """
        self.ranks = ranks
        try:
            for split in ("train", "val", "test"):
                getattr(self, f"{split}_dataloader")()
        finally:
            self.ranks = None

    def state_dict(self) -> dict[str, int]:
        """The epoch, and how many of its batches the model has learned from."""
        return place_in_epoch(self)

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self._place = dict(state_dict)

    def rank_of_ranks(self) -> tuple[int, int]:
        """Return which part of each batch is this process's, and of how many."""
        if self.ranks is not None:
            return 0, self.ranks
        trainer = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer else (0, 1)

    def at_hand(self, split: str) -> tuple[Tensor, ...]:
        """Return a split's tensors, on the GPU that learns from them where they fit.

        Its batches are then picked there: nothing is copied to it at a step.
        """
        tensors: tuple[Tensor, ...] = getattr(self.splits, split)
        device = torch.device("cpu")
        if self.trainer is not None and self.ranks is None:
            device = self.trainer.strategy.root_device
        if device.type != "cuda":
            return tensors
        if split not in self._on_device:
            free, _ = torch.cuda.mem_get_info(device)
            size = sum(tensor.nbytes for tensor in tensors)
            if size > SHARE_OF_DEVICE * free:
                return tensors
            self._on_device[split] = tuple(_moved(each, device) for each in tensors)
        return self._on_device[split]

    def _batches(
        self, split: str, *, batch_size: int, seed: int | None = None, repeats: int = 1
    ) -> Batches:
        self.setup()
        tensors = self.at_hand(split)
        rank, ranks = self.rank_of_ranks()
        items = len(tensors[0]) * repeats
        if items < ranks:
            raise UserError(
                f"trainer.devices gives {ranks} processes for the "
                f"{counted(items, 'example')} of the {split} split; give at most "
                f"{items}"
            )
        if split == "train" and items < batch_size * ranks:
            raise UserError(
                f"data.batch_size={batch_size} is more than the "
                f"{counted(items // ranks, 'training example')} of a process; give at "
                f"most {items // ranks}"
            )
        return Batches(
            tensors,
            batch_size=batch_size,
            seed=seed,
            repeats=repeats,
            rank=rank,
            ranks=ranks,
        )


def _moved(tensor: Tensor, device: torch.device) -> Tensor:
    return tensor.to(device, PICKABLE.get(tensor.dtype, tensor.dtype))
