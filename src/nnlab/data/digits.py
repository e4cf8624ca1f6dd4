"""Digits: 1,797 handwritten digits, 8x8 grey, that come with scikit-learn.

Alpaydin & Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI Machine
Learning Repository, https://doi.org/10.24432/C50P49; the test part of it.

Stands in for MNIST where nothing can be downloaded. The three splits are drawn by seed:
no test set is published for these.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from annotated_types import Interval
from torch import Tensor
from torch.nn import functional as F
from typing_extensions import override

from nnlab.data._images import Level, Shift, stratified_split
from nnlab.data._labelled_images import LabelledImages
from nnlab.data._subset import Classes
from nnlab.data_module import Splits
from nnlab.limits import Count, Natural, Positive


class Digits(LabelledImages):
    """Digits as (image, label): float32 (batch, 1, size, size) and int64 (batch).

    Args, beside those of `LabelledImages`:
        image_size: height and width that the 8x8 images are enlarged to (bilinear).
        validation_size, test_size: images held out, each class by its share.
    """

    def __init__(
        self,
        *,
        image_size: Annotated[int, Interval(ge=8, le=256)],
        batch_size: Count,
        evaluation_batch_size: Count,
        validation_size: Natural,
        test_size: Natural,
        classes: Classes,
        train_size: Count | None,
        mean: Level,
        standard_deviation: Positive,
        shift: Shift,
        shuffles_pixels: bool,
        repeats: Count,
        seed: Natural,
    ) -> None:
        super().__init__(
            size=image_size,
            batch_size=batch_size,
            evaluation_batch_size=evaluation_batch_size,
            classes=classes,
            train_size=train_size,
            mean=mean,
            standard_deviation=standard_deviation,
            shift=shift,
            shuffles_pixels=shuffles_pixels,
            repeats=repeats,
            seed=seed,
        )
        self.validation_size, self.test_size = validation_size, test_size

    @override
    def whole(self) -> Splits:
        image, label = self._read()
        rest, test = stratified_split(
            label, self.test_size, seed=self.seed, key="data.test_size"
        )
        kept, held_out = stratified_split(
            label[rest],
            self.validation_size,
            seed=self.seed,
            key="data.validation_size",
        )
        train, validation = rest[kept], rest[held_out]
        return Splits(
            (image[train], label[train]),
            (image[validation], label[validation]),
            (image[test], label[test]),
        )

    def _read(self) -> tuple[Tensor, Tensor]:
        rows = torch.from_numpy(np.loadtxt(_file(), delimiter=","))
        image, label = rows[:, :-1].reshape(-1, 1, 8, 8), rows[:, -1].long()
        size = (self.size, self.size)
        image = F.interpolate(image * (255 / 16), size, mode="bilinear")  # 16 is white
        return image.squeeze(1).round().to(torch.uint8), label


def _file() -> Path:
    """Find what `load_digits` reads, without the second that importing it takes."""
    package = find_spec("sklearn")
    assert package is not None
    assert package.submodule_search_locations is not None
    return Path(package.submodule_search_locations[0], "datasets/data/digits.csv.gz")
