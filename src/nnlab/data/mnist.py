"""MNIST: 70,000 handwritten digits, 28x28 grey.

LeCun, Bottou, Bengio & Haffner (1998), "Gradient-Based Learning Applied to Document
Recognition", Proc. IEEE 86(11), section III.A. http://yann.lecun.com/exdb/mnist/

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
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
TRAIN = (
    IdxFile(
        "train-images-idx3-ubyte",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    IdxFile(
        "train-labels-idx1-ubyte",
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
)
TEST = (
    IdxFile(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    IdxFile(
        "t10k-labels-idx1-ubyte",
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)


class MNIST(DataModule):
    """Digits as (image, label): float32 (batch, 1, 28, 28) and int64 (batch).

    Args:
        data_dir: holds MNIST/raw/*-ubyte, or is where they are downloaded to; None:
            $NNLAB_DATA, else the user's cache folder.
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
        folder = data_folder(self.data_dir) / "MNIST" / "raw"
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
