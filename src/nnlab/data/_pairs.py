"""Pairs of a labelled set's images: half of them of one class, half of two."""

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nnlab.batches import Batches, mix
from nnlab.data._pair_batches import PairBatches, draw_partners
from nnlab.data_module import DataModule, Splits
from nnlab.errors import UserError
from nnlab.given.given import Examples, Given
from nnlab.limits import Count, Natural

Labelled = tuple[Float[Tensor, "batch channels height width"], Int[Tensor, " batch"]]


class Pairs(DataModule):
    """Pairs as (first, second, first label, second label), images as the source's.

    The source's splits are kept and pairs are made within each, so that no image of a
    test pair was trained on. Each image is the first of one pair; the second is drawn.
    For training it is drawn anew each epoch, by (seed, epoch); validation and test
    pairs stay.

    Args:
        source: labelled images.
        classes: that are used; None: all of the source's.
        held_out_classes: of these, the ones that are only tested: neither training nor
            validation holds them. An even number: the first half of them finds the
            threshold by which pairs of the second are judged, and the other way round.
            Test pairs are of two images of the same half, or of classes not held out;
            two classes are too few for halves.
        repeats: how often an image is the first of a training pair in an epoch.
    """

    gives: ClassVar[str] = "pairs of images"

    def __init__(
        self,
        *,
        source: DataModule,
        classes: list[Natural] | None,
        held_out_classes: list[Natural],
        batch_size: Count,
        evaluation_batch_size: Count,
        repeats: Count,
        seed: Natural,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            repeats=repeats,
            seed=seed,
        )
        self.source = source
        known = list(range(source.facts().get("classes", 0)))
        used = known if classes is None else _checked(classes, "classes", known)
        self.unseen = _checked(held_out_classes, "held_out_classes", used)
        self.seen = [label for label in used if label not in self.unseen]
        if len(self.seen) < 2:
            key = f"held_out_classes={held_out_classes}"
            key = key if held_out_classes else f"classes={classes}"
            raise ValueError(
                f"data.{key} leaves {len(self.seen)} of {len(known)} classes to train "
                "on, and a pair of two classes takes two; leave 2 and more"
            )
        if len(self.unseen) % 2:
            raise ValueError(
                f"data.held_out_classes={held_out_classes} is an odd number of classes "
                f"({len(self.unseen)}), and each half of them is judged by a threshold "
                "that the other finds; hold out an even number"
            )
        self.class_names = source.class_names

    @property
    def halves(self) -> list[list[int]]:
        """The held out classes, by whom pairs are made of: a half has two at least."""
        middle = len(self.unseen) // 2
        if middle < 2:
            return [self.unseen] if self.unseen else []
        return [self.unseen[:middle], self.unseen[middle:]]

    def facts(self) -> dict[str, int]:
        return self.source.facts()

    def load(self) -> Splits:
        train, validation, test = self.source.load()
        is_seen = torch.isin(train[1], torch.tensor(self.seen))
        train = tuple(tensor[is_seen] for tensor in train)
        _check_counts(train[1], "training")
        return Splits(
            train,
            self._fixed_pairs(validation, [self.seen], "validation"),
            self._fixed_pairs(test, [self.seen, *self.halves], "test"),
        )

    def read(self, given: Given) -> Examples:
        """Return two images as a pair; one, or more, each by itself."""
        read = self.source.read(given)
        if len(read.names) != 2:
            return read
        [(images, labels)] = read.batches
        pair = *images[:, None], *labels[:, None]
        return Examples([" and ".join(read.names)], [pair])

    def prepare(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if len(batch) == 2:  # images by themselves
            return self.source.prepare(batch)
        images, labels = torch.cat(batch[:2]), torch.cat(batch[2:])
        self.source.trainer = (
            self.trainer
        )  # which it asks whether, and where, it trains
        images, labels = self.source.prepare((images, labels))
        return *images.chunk(2), *labels.chunk(2)

    def scaled(self, inputs: Tensor) -> Tensor | None:
        return self.source.scaled(inputs)

    def gallery(self, size: int, device: torch.device) -> Iterator[Labelled]:
        """Yield batches of training images to compare others with, prepared.

        At most `size` of them, spread evenly over the training set.
        """
        assert self.splits is not None and not self.is_training  # noqa: PT018
        image, label = self.splits.train
        index = torch.linspace(0, len(image) - 1, min(size, len(image))).round().long()
        for part in index.split(self.evaluation_batch_size):
            batch = image[part].to(device), label[part].to(device)
            prepared = self.converted(self.source.prepare(batch))
            yield prepared[0], prepared[1]

    def _fixed_pairs(
        self, examples: tuple[Tensor, ...], groups: list[list[int]], split: str
    ) -> tuple[Tensor, ...]:
        """Return pairs of two images of the same group of classes, in their order."""
        image, label = examples
        generator = torch.Generator().manual_seed(mix(self.seed, -2))  # no epoch's
        second = torch.full_like(label, -1)
        for classes in groups:
            members = torch.isin(label, torch.tensor(classes)).nonzero().flatten()
            own = label[members]
            _check_counts(own, split)
            drawn = draw_partners(own, torch.arange(len(own)), generator=generator)
            second[members] = members[drawn]
        first = (second >= 0).nonzero().flatten()
        second = second[first]
        return image[first], image[second], label[first], label[second]

    def _batches(self, split: str, **settings: Any) -> Batches:
        plain = super()._batches(split, **settings)
        if split != "train":
            return plain
        return PairBatches(
            plain.tensors,
            batch_size=plain.batch_size,
            seed=plain.seed,
            repeats=plain.repeats,
            rank=plain.rank,
            ranks=plain.ranks,
        )


def _checked(chosen: list[int], name: str, known: list[int]) -> list[int]:
    beyond = [label for label in chosen if label not in known]
    if beyond:
        raise ValueError(
            f"data.{name}={chosen} names the class {beyond[0]}; the classes are "
            f"{', '.join(map(str, known))}"
        )
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"data.{name}={chosen} names a class twice; give each once")
    return sorted(chosen)


def _check_counts(labels: Tensor, split: str) -> None:
    counts = labels.bincount()
    if int((counts > 0).sum()) < 2 or bool((counts == 1).any()):
        raise UserError(
            f"the {split} split has no two images of each class, which pairs take; "
            "make it larger by the sizes in data.source"
        )
