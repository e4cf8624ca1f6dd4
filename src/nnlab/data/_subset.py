"""A part of a labelled set: some of its classes, some of its training examples."""

from functools import cache

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from nnlab.data._images import stratified_split
from nnlab.data_module import Splits
from nnlab.errors import UserError
from nnlab.limits import Natural

Classes = list[Natural] | None  # the labels that are kept; None: all

PERMUTATION_SEED = 0  # one shuffling for all runs: another would be another task


def count_classes(classes: Classes, *, known: int) -> int:
    """Return how many classes are kept of the `known` that there are.

    Raises:
        ValueError: where a class is beyond them or named twice, or fewer than two are
            named: nothing is to be told apart then.
    """
    if classes is None:
        return known
    beyond = [label for label in classes if label >= known]
    if beyond:
        raise ValueError(
            f"data.classes={classes} names the class {beyond[0]}; the classes are "
            f"0 to {known - 1}"
        )
    if len(set(classes)) < len(classes):
        raise ValueError(f"data.classes={classes} names a class twice; give each once")
    if len(classes) < 2:
        raise ValueError(
            f"data.classes={classes} leaves nothing to tell apart; give 2 to {known} "
            "classes, or null: all"
        )
    return len(classes)


def subset(
    splits: Splits, *, classes: Classes, train_size: int | None, seed: int
) -> Splits:
    """Return the examples of the classes, and `train_size` of those for training.

    Labels are renumbered in the order in which the classes are named: those of
    `classes=[5, 9]` become 0 and 1. Each class gives its share of the training
    examples, drawn by seed; validation and test stay whole.

    Raises:
        UserError: where there are fewer training examples, or a class gets none.
    """
    if classes is not None:
        splits = Splits(*(_of_classes(split, classes) for split in splits))
    if train_size is None:
        return splits
    labels = splits.train[1]
    there, kinds = len(labels), len(labels.unique())
    if not kinds <= train_size <= there:
        raise UserError(
            f"data.train_size={train_size} must be {kinds:,} to {there:,}, an example "
            "a class to all of them; null: all"
        )
    if train_size == there:
        return splits
    _, drawn = stratified_split(labels, train_size, seed=seed, key="data.train_size")
    missing = kinds - len(labels[drawn].unique())
    if missing:
        raise UserError(
            f"data.train_size={train_size} leaves {missing} of {kinds} classes without "
            f"an example; give more, or null: all {there:,}"
        )
    return splits._replace(train=tuple(tensor[drawn] for tensor in splits.train))


def shuffle_pixels(
    image: UInt8[Tensor, "batch height width"],
) -> UInt8[Tensor, "batch height width"]:
    """Move the pixels of all images to other places, each image alike.

    Permuted MNIST: the same digits, without strokes (Goodfellow et al. 2013, "An
    Empirical Investigation of Catastrophic Forgetting in Gradient-Based Neural
    Networks", arXiv:1312.6211, section 5).
    """
    flat = image.flatten(1)
    order = _order(flat.shape[1]).to(image.device, non_blocking=True)
    return flat.index_select(1, order).view_as(image)


@cache  # and so a constant to an exported program, which else would draw it anew
def _order(pixels: int) -> Int[Tensor, " pixels"]:
    generator = torch.Generator().manual_seed(PERMUTATION_SEED)
    return torch.randperm(pixels, generator=generator)


def _of_classes(
    examples: tuple[Tensor, ...], classes: list[int]
) -> tuple[Tensor, Tensor]:
    image, label = examples
    new = torch.full((max(int(label.max()), *classes) + 1,), -1)
    new[torch.tensor(classes)] = torch.arange(len(classes))
    renumbered = new[label]
    index = (renumbered >= 0).nonzero().flatten()
    if not len(index):
        raise UserError(
            f"data.classes={classes} leaves a split without an image; hold out more by "
            "data.validation_size"
        )
    return image.index_select(0, index), renumbered[index]
