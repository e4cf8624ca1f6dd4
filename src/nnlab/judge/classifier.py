"""The judge: a small classifier of real images, trained once, by one fixed recipe."""

import hashlib
import logging
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.data_module import Splits
from nnlab.download import cache_folder
from nnlab.errors import UserError
from nnlab.part import part_of

log = logging.getLogger("nnlab.judge")

FEATURES = 64
LEAST_SIZE = 12  # pixels: smaller ones leave nothing after the second pooling
# Of the recipe: another one is another judge, with another name in the cache.
SEED, BATCH_SIZE, PASSES, LEAST_STEPS, RATE, WARM_UP = 0, 128, 4, 400, 3e-3, 100
RECIPE = (
    f"8x5 24x5 {FEATURES} {SEED} {BATCH_SIZE} {PASSES} {LEAST_STEPS} {RATE} {WARM_UP}"
)

LabelledImages = tuple[UInt8[Tensor, "n height width"], Int[Tensor, " n"]]


class Classifier(nn.Module):
    """Two convolutions and poolings, then the features that images are compared by."""

    def __init__(self, *, height: int, width: int, classes: int) -> None:
        super().__init__()
        pixels = ((height // 2 - 4) // 2) * ((width // 2 - 4) // 2)
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 24, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(24 * pixels, FEATURES),
            nn.ReLU(),
        )
        self.output = nn.Linear(FEATURES, classes)

    def forward(
        self, image: Float[Tensor, "batch 1 height width"]
    ) -> tuple[Float[Tensor, "batch 64"], Float[Tensor, "batch classes"]]:
        features = self.body(image)
        return features, self.output(features)


class Judge:
    """A classifier that learns no more, and the fingerprint of its weights.

    It is no `nn.Module`, so that a model that holds one does not take it for a part
    of itself.
    """

    def __init__(
        self, network: Classifier, image: UInt8[Tensor, "n height width"]
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self._image = image
        self.classes = network.output.out_features
        self.fingerprint = fingerprint(network)

    @torch.no_grad()
    def __call__(
        self, image: Float[Tensor, "batch 1 height width"]
    ) -> tuple[Float[Tensor, "batch 64"], Float[Tensor, "batch classes"]]:
        """Return features and the probability of each class, of pixels in [0, 1]."""
        # whatever precision the run has
        with torch.autocast(image.device.type, enabled=False):
            features, scores = self.network.to(image.device)(image.float())
        return features, scores.softmax(dim=1)

    def examples(self) -> Iterator[Float[Tensor, "batch 1 height width"]]:
        """Return real images that are not tested on, in batches; 10,000 at most."""
        for part in self._image[:10_000].split(500):
            yield part.unsqueeze(1) / 255


def judge_for(splits: Splits | None, *, is_trial: bool) -> Judge:
    """Return the judge of a data set; for a trial one that has learned nothing.

    All its images are learned from that are not tested on, in an order of their own:
    whichever of them a run validates on, the judge is the same, and so is its scale.

    Raises:
        UserError: where the data are no labelled grey images.
    """
    if splits is None or not are_labelled_images(splits.train):
        raise UserError(
            f"the judge learns from grey images of {LEAST_SIZE}x{LEAST_SIZE} pixels "
            "or more and their classes, which these data do not hold; "
            "try data=mnist or data=digits"
        )
    images: list[LabelledImages] = []
    for split in (splits.train, splits.validation):
        image, label = split
        images.append((image, label))
    return untrained_judge(images) if is_trial else find_judge(images)


def are_labelled_images(split: tuple[Tensor, ...]) -> bool:
    """Return whether it is bytes (n, height, width) and a class for each."""
    return (
        len(split) == 2
        and split[0].dtype == torch.uint8
        and split[0].ndim == 3
        and min(split[0].shape[1:]) >= LEAST_SIZE
        and not split[1].is_floating_point()
        and split[1].ndim == 1
    )


def find_judge(images: list[LabelledImages]) -> Judge:
    """Return the judge of these images, from the cache where it has been trained."""
    image, label = in_canonical_order(images)
    classes = int(label.max()) + 1
    _, height, width = image.shape
    network = new_classifier(height=height, width=width, classes=classes)
    digest = hashlib.sha256(f"{RECIPE} {tuple(image.shape)} ".encode())
    digest.update(image.numpy().tobytes() + label.numpy().tobytes())
    file = cache_folder() / "judges" / f"{digest.hexdigest()[:16]}.pt"
    if is_whole(file):
        network.load_state_dict(torch.load(file, weights_only=True))
    else:
        log.info("training the judge on %s images, once", f"{len(image):,}")
        train(network, image, label)
        keep(network, file)
    return Judge(network, images[0][0])


def untrained_judge(images: list[LabelledImages]) -> Judge:
    """Return a judge that knows nothing yet, to try whether a pairing runs."""
    image, label = images[0]
    _, height, width = image.shape
    classes = int(label.max()) + 1
    return Judge(new_classifier(height=height, width=width, classes=classes), image)


def in_canonical_order(images: list[LabelledImages]) -> LabelledImages:
    """Return all of them as one set, sorted by their pixels."""
    image = torch.cat([image for image, _ in images])
    label = torch.cat([label for _, label in images])
    rows = torch.cat([image.flatten(1), label.to(torch.uint8).unsqueeze(1)], dim=1)
    as_bytes = rows.numpy().view(np.dtype((np.void, rows.shape[1])))[:, 0]
    order = torch.from_numpy(np.argsort(as_bytes, kind="stable"))
    return image[order], label[order]


def new_classifier(*, height: int, width: int, classes: int) -> Classifier:
    """Return a classifier with the recipe's first weights."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(SEED)
        return Classifier(height=height, width=width, classes=classes)


@torch.enable_grad()
def train(network: Classifier, image: Tensor, label: Tensor) -> None:
    """Learn by Adam, at a rate that rises in a line, then falls along half a cosine."""
    generator = torch.Generator().manual_seed(SEED)
    steps = max(LEAST_STEPS, PASSES * len(image) // BATCH_SIZE)
    passes = math.ceil(steps * BATCH_SIZE / len(image))
    orders = [torch.randperm(len(image), generator=generator) for _ in range(passes)]
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    for step, drawn in enumerate(
        torch.cat(orders)[: steps * BATCH_SIZE].split(BATCH_SIZE)
    ):
        fall = (1 + math.cos(math.pi * step / steps)) / 2
        optimizer.param_groups[0]["lr"] = RATE * min(1, (step + 1) / WARM_UP) * fall
        _, scores = network(image[drawn].unsqueeze(1) / 255)
        optimizer.zero_grad()
        F.cross_entropy(scores, label[drawn]).backward()
        optimizer.step()


def keep(network: Classifier, file: Path) -> None:
    """Write the weights under another name first: nobody finds half a file."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part_of(file) as part:
            torch.save(network.state_dict(), part)
    except OSError as error:
        log.warning("the judge is not kept for the next run: %s", error)


def is_whole(file: Path) -> bool:
    """Return whether the file is there and each byte of it is as it was written."""
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def fingerprint(network: nn.Module) -> str:
    """Return the first 16 digits of the SHA-256 of the weights, in their order."""
    digest = hashlib.sha256()
    for weight in network.state_dict().values():
        digest.update(weight.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
