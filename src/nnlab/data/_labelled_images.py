"""The base of every set of labelled grey images that lies in memory."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from nnlab.data._images import image_facts, normalise, shift_randomly
from nnlab.data._subset import Classes, count_classes, shuffle_pixels, subset
from nnlab.data_module import DataModule, Splits
from nnlab.errors import UserError
from nnlab.given.given import Examples, Given, Pictures, in_batches, unlabelled
from nnlab.given.rows import read_rows


class LabelledImages(DataModule):
    """Images as (image, label): float32 (batch, 1, size, size) and int64 (batch).

    A set answers one question: `whole()`, all its images, in three splits.

    Args:
        size: height and width of an image.
        classes: the labels that are kept, renumbered from 0 in this order; None: all.
        train_size: training images that are used, each class by its share; None: all.
        mean, standard_deviation: of the pixels in [0, 1], taken off and divided by.
        shift: pixels by which training images are moved at random, at most.
        shuffles_pixels: in one way for all images, so that no stroke is left.
        repeats: how often an epoch goes through the training images.

    Attributes:
        known: what each label stands for.
    """

    known: ClassVar[Sequence[str]] = tuple("0123456789")

    gives: ClassVar[str] = "images"

    def __init__(
        self,
        *,
        size: int,
        batch_size: int,
        evaluation_batch_size: int,
        classes: Classes,
        train_size: int | None,
        mean: float,
        standard_deviation: float,
        shift: int,
        shuffles_pixels: bool,
        seed: int,
        repeats: int = 1,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            seed=seed,
            repeats=repeats,
        )
        self.size = size
        self.mean, self.standard_deviation = mean, standard_deviation
        self.shift, self.shuffles_pixels = shift, shuffles_pixels
        self.classes, self.train_size = classes, train_size
        self.class_count = count_classes(classes, known=len(self.known))
        kept = range(len(self.known)) if classes is None else classes
        self.class_names = [self.known[label] for label in kept]

    def whole(self) -> Splits:
        """Return every image, uint8 (items, size, size), with its label."""
        raise NotImplementedError

    @override
    def facts(self) -> dict[str, int]:
        return image_facts(size=self.size, classes=self.class_count)

    @override
    def load(self) -> Splits:
        return subset(
            self.whole(),
            classes=self.classes,
            train_size=self.train_size,
            seed=self.seed,
        )

    @override
    def prepare(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        image, label = batch
        if self.shift and self.is_training:
            generator = self.generator()
            image = shift_randomly(image, distance=self.shift, generator=generator)
        return self.scaled(image), label

    @override
    def scaled(self, inputs: Tensor) -> Tensor:
        if self.shuffles_pixels:
            inputs = shuffle_pixels(inputs)
        return normalise(
            inputs, mean=self.mean, standard_deviation=self.standard_deviation
        )

    @override
    def read(self, given: Given) -> Examples:
        """Return pictures of this size; or rows of their grey values, 0 to 255."""
        if isinstance(given, Pictures):
            image = given.of_size(self.size, self.size)
            return in_batches(given.names, image, unlabelled(len(image)))
        pixels = self.size**2
        takes = (
            f"pictures of {self.size}x{self.size} (PNG, JPEG, idx), or rows of "
            f"{pixels} grey values"
        )
        rows = read_rows(given, columns=pixels, classes=self.class_count, takes=takes)
        grey = rows.numbers
        is_wrong = ((grey < 0) | (grey > 255) | (grey != grey.round())).any(dim=1)
        if is_wrong.any():
            raise UserError(
                f"input={rows.names[int(is_wrong.int().argmax())]}: a grey value is a "
                "whole number from 0, black, to 255"
            )
        image = grey.to(torch.uint8).view(-1, self.size, self.size)
        return in_batches(rows.names, image, rows.labels)
