"""What sets of text share: splits by position, token ids, windows, bits per byte."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from annotated_types import Interval
from torch import Tensor
from typing_extensions import override

from nnlab.batches import Batches
from nnlab.data._token_ids import token_ids
from nnlab.data_module import DataModule, Splits
from nnlab.errors import UserError
from nnlab.given.given import Examples, Given, Texts
from nnlab.limits import Count, Natural, Share
from nnlab.numerals import counted
from nnlab.tokenizer.tokenizer import Tokenizer
from nnlab.windows import RandomWindows, SuccessiveWindows

NOT_KNOWN = -100  # a target that no loss counts: torch's own default
Part = Annotated[float, Interval(gt=0, lt=1)]


class TextData(DataModule):
    """Text as (tokens, targets), both int64 (batch, context): a target is one ahead.

    Training windows are drawn at random; validation and test go once through their
    split in windows side by side. A set of text answers one question: `documents()`.

    Args:
        tokenizer: trained here, on the training split alone, unless it is already.
        context_size: tokens of a window.
        batches_per_epoch: what an epoch is, where every batch is drawn at random.
        validation_share: of the characters, behind those for training.
        test_share: of the characters, the last ones; 0: the test is on the validation
            split, so its number is no estimate for unseen text once weights or
            settings were chosen by that split.
        seed: of the windows.
    """

    gives: ClassVar[str] = "text"

    def __init__(
        self,
        *,
        tokenizer: Tokenizer | None,
        context_size: Count,
        batch_size: Count,
        evaluation_batch_size: Count,
        batches_per_epoch: Count,
        validation_share: Part,
        test_share: Share,
        seed: Natural,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            seed=seed,
        )
        if tokenizer is None:
            raise UserError("text needs a tokenizer; give tokenizer=char")
        if validation_share + test_share >= 1:
            raise UserError(
                f"data.validation_share={validation_share} and "
                f"data.test_share={test_share} leave nothing to train on"
            )
        self.tokenizer = tokenizer
        self.context_size = context_size
        self.batches_per_epoch = batches_per_epoch
        self.validation_share, self.test_share = validation_share, test_share
        self.bytes_per_token: dict[str, float] = {}

    def documents(self) -> list[str]:
        """Return the texts. Raises `UserError` where they are missing or damaged."""
        raise NotImplementedError

    @override
    def facts(self) -> dict[str, int]:
        self.setup()  # the vocabulary comes from the text
        return {
            "vocabulary_size": self.tokenizer.vocabulary_size,
            "context_size": self.context_size,
        }

    @override
    def load(self) -> Splits:
        shares = (self.validation_share, self.test_share)
        train, validation, test = split_by_position(self.documents(), shares)
        texts = {"train": train, "val": validation, "test": test or validation}
        if not self.tokenizer.is_trained:
            self.tokenizer.train(train)
        rows: list[tuple[Tensor]] = []
        for stage, parts in texts.items():
            ids = token_ids(parts, self.tokenizer) if parts else ()
            if len(ids) <= self.context_size:
                raise UserError(self._too_short(stage, len(ids)))
            size = sum(len(part.encode()) for part in parts)
            self.bytes_per_token[stage] = size / len(ids)
            rows.append((ids,))  # pyright: ignore[reportArgumentType]
        return Splits(*rows)

    @override
    def prepare(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        [window] = batch
        return window[:, :-1], window[:, 1:]

    @override
    def read(self, given: Given) -> Examples:
        """Return the tokens of each text; what follows the last is not known: -100.

        Raises:
            UserError: naming what the tokenizer has never seen.
        """
        if not isinstance(given, Texts):
            raise UserError(f"input={given.names[0]} is a picture; this run reads text")
        batches: list[tuple[Tensor, ...]] = []
        for name, text in zip(given.names, given.texts, strict=True):
            try:
                ids = self.tokenizer.encode(text)
            except UserError as error:
                raise UserError(f"input={name[:40]}: {error}") from error
            if not ids:
                raise UserError(f"input={name[:40]!r} holds no token; give a word")
            batches.append((torch.tensor([[*ids, NOT_KNOWN]]),))
        return Examples(given.names, batches)

    def derived(self, stage: str, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return bits per byte from the loss in nats per token: whatever the tokenizer.

        Args:
            stage: train, val or test.
            means: of a whole epoch; `loss` is the cross-entropy.
        """
        scale = 1 / (math.log(2) * self.bytes_per_token[stage])
        return {"bits_per_byte": means["loss"] * scale} if "loss" in means else {}

    @override
    def _batches(
        self, split: str, *, batch_size: int, seed: int | None = None, repeats: int = 1
    ) -> Batches:
        self.setup()
        [ids] = self.at_hand(split)
        rank, ranks = self.rank_of_ranks()
        windows = -(-(len(ids) - 1) // self.context_size)
        if windows < ranks:
            raise UserError(
                f"trainer.devices gives {ranks} processes for the "
                f"{counted(windows, 'window')} of the {split} split; give at most "
                f"{windows}"
            )
        if seed is None:
            return SuccessiveWindows(
                ids,
                context_size=self.context_size,
                batch_size=batch_size,
                rank=rank,
                ranks=ranks,
            )
        return RandomWindows(
            ids,
            context_size=self.context_size,
            batch_size=batch_size,
            batches=self.batches_per_epoch,
            seed=seed,
            rank=rank,
            ranks=ranks,
        )

    def _too_short(self, stage: str, tokens: int) -> str:
        split = {"train": "training", "val": "validation"}.get(stage, stage)
        remedy = f"give at most {tokens - 1}" if tokens > 1 else "give more text"
        return (
            f"data.context_size={self.context_size} is more than the "
            f"{counted(tokens, 'token')} of the {split} split can fill; {remedy}"
        )


def split_by_position(
    texts: Sequence[str], shares: tuple[float, float]
) -> tuple[list[str], list[str], list[str]]:
    """Return the texts of training, validation and test, by position in all of them.

    The two shares are those of validation and test, of the characters. A text that lies
    across a boundary is cut there.
    """
    total = sum(map(len, texts))
    validation, test = shares
    # rounded: 1 - 0.05 - 0.05 is a little less than 0.9
    first = int(total * round(1 - validation - test, 12))
    second = int(total * round(1 - test, 12))
    return (
        list(_between(texts, 0, first)),
        list(_between(texts, first, second)),
        list(_between(texts, second, total)),
    )


def _between(texts: Sequence[str], start: int, end: int) -> Iterator[str]:
    for text in texts:
        if cut := text[max(start, 0) : max(end, 0)]:
            yield cut
        start, end = start - len(text), end - len(text)
