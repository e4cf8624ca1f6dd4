"""Fashion-MNIST: 70,000 pictures of clothes in ten classes, 28x28 grey.

Xiao, Rasul & Vollgraf (2017), "Fashion-MNIST: a Novel Image Dataset for Benchmarking
Machine Learning Algorithms", arXiv:1708.07747.

The test set is the published one; the validation set is drawn from the training set.
"""

from torch import Tensor

from nnlab.data._images import (
    Level,
    Shift,
    image_facts,
    normalise,
    shift_randomly,
    stratified_split,
)
from nnlab.data._mnist_files import IdxFile, read_pair
from nnlab.data_module import DataModule, Splits
from nnlab.download import data_folder
from nnlab.limits import Count, Natural, Positive

CLASSES = 10
MIRRORS = (
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
TRAIN = (
    IdxFile(
        "train-images-idx3-ubyte",
        47_040_016,
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    IdxFile(
        "train-labels-idx1-ubyte",
        60_008,
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
)
TEST = (
    IdxFile(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    IdxFile(
        "t10k-labels-idx1-ubyte",
        10_008,
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)


class FashionMNIST(DataModule):
    """Clothes as (image, label): float32 (batch, 1, 28, 28) and int64 (batch).

    Args:
        data_dir: holds FashionMNIST/raw/*-ubyte, or is where they are downloaded to;
            None: $NNLAB_DATA, else the user's cache folder.
        validation_size: images held out of the 60,000, each class by its share.
        mean, standard_deviation: of the pixels in [0, 1], taken off and divided by.
        shift: pixels by which training images are moved at random, at most.
    """

    def __init__(
        self,
        *,
        data_dir: str | None,
        batch_size: Count,
        evaluation_batch_size: Count,
        validation_size: Natural,
        mean: Level,
        standard_deviation: Positive,
        shift: Shift,
        seed: Natural,
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            seed=seed,
        )
        self.data_dir = data_dir
        self.validation_size = validation_size
        self.mean, self.standard_deviation = mean, standard_deviation
        self.shift = shift

    def facts(self) -> dict[str, int]:
        return image_facts(size=28, classes=CLASSES)

    def load(self) -> Splits:
        folder = data_folder(self.data_dir) / "FashionMNIST" / "raw"
        image, label = read_pair(
            *TRAIN, folder=folder, mirrors=MIRRORS, classes=CLASSES
        )
        test = read_pair(*TEST, folder=folder, mirrors=MIRRORS, classes=CLASSES)
        kept, held_out = stratified_split(
            label, self.validation_size, seed=self.seed, key="data.validation_size"
        )
        train = image.index_select(0, kept), label[kept]
        return Splits(train, (image[held_out], label[held_out]), test)

    def prepare(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        image, label = batch
        if self.shift and self.is_training:
            generator = self.generator()
            image = shift_randomly(image, distance=self.shift, generator=generator)
        image = normalise(
            image, mean=self.mean, standard_deviation=self.standard_deviation
        )
        return image, label
