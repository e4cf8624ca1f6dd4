"""Siamese network: twins that share their weights put like images near each other.

Bromley et al. (1993), "Signature Verification using a 'Siamese' Time Delay Neural
Network". The losses:
- contrastive: like pairs are pulled together, unlike ones pushed apart up to a margin
  (Hadsell, Chopra & LeCun 2006, "Dimensionality Reduction by Learning an Invariant
  Mapping", equation 4; "DrLIM");
- triplet: an image is nearer to one of its class than to any other, by a margin
  (Schroff, Kalenichenko & Philbin 2015, "FaceNet", equation 2);
- logistic: P(same class) from the weighted L1 distance of sigmoid features (Koch, Zemel
  & Salakhutdinov 2015, "Siamese Neural Networks for One-shot Image Recognition").

Departs from the papers: small encoders of today's parts, the same for all losses; pairs
by class, not by neighbourhood or distortion; triplets are all that the batch's pairs of
one class make with its other images, averaged over those that break the margin
(Hermans, Beyer & Leibe 2017, arXiv:1703.07737), and their distances are not squared.
"""

import logging
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Interval
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.answer import Answer, numbers
from nnlab.effect import OnlyWith
from nnlab.errors import UserError
from nnlab.layer.max_pool import MaxPool2x2
from nnlab.learner import Learner
from nnlab.limits import Count, Positive
from nnlab.nearness import Distance, knn_labels
from nnlab.numerals import counted
from nnlab.vector_pairs import (
    Gallery,
    VectorPairs,
    as_pixels,
    galleries,
    joined,
    roc_curves,
)
from nnlab.verification import Verification

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Image = Float[Tensor, "batch channels height width"]
Label = Int[Tensor, " batch"]
PairBatch = tuple[Image, Image, Label, Label]

log = logging.getLogger(__name__)

VALIDATION_GALLERY = 5000  # at most: it is embedded again after each epoch


def body(
    shape: tuple[int, int, int], *, feature_maps: list[int], hidden_sizes: list[int]
) -> tuple[nn.Sequential, int]:
    """Return convolutions that each halve the image, then dense layers, and its width.

    Raises:
        ValueError: where there are more halvings than the image has pixels for.
    """
    channels, height, width = shape
    layers = nn.Sequential()
    for into, out in pairwise([channels, *feature_maps]):
        layers.extend([nn.Conv2d(into, out, 5, padding=2), nn.ReLU(), MaxPool2x2()])
        channels, height, width = out, height // 2, width // 2
    if not height * width:
        raise ValueError(
            f"model.feature_maps={feature_maps} halves {shape[1]}x{shape[2]} pixels "
            f"{counted(len(feature_maps), 'time')}, and nothing is left; give fewer"
        )
    layers.append(nn.Flatten())
    sizes = [channels * height * width, *hidden_sizes]
    for fan_in, fan_out in pairwise(sizes):
        layers.extend([nn.Linear(fan_in, fan_out), nn.ReLU()])
    return layers, sizes[-1]


class Siamese(Learner):
    """Embeds an image as a vector; its distance to another says how unlike they are."""

    only_with: ClassVar[OnlyWith] = {"feature_maps": ("encoder", ("conv",))}

    thresholds: Tensor  # below which a pair is called alike: embeddings, and pixels
    seen: Tensor  # which classes were trained on

    def __init__(
        self,
        *,
        encoder: Literal["conv", "mlp"],
        loss: Literal["contrastive", "triplet", "logistic"],
        channels: Count,
        height: Count,
        width: Count,
        classes: Count,
        feature_maps: list[Count],
        hidden_sizes: list[Count],
        embedding_size: Count,
        margin: Positive,
        neighbours: Count,
        gallery_size: Count,
        ways: Annotated[int, Interval(ge=2, le=1_000_000)],
    ) -> None:
        super().__init__()
        self.loss, self.margin = loss, margin
        self.gallery_size = gallery_size
        self.image_shape = (channels, height, width)
        self.body, size = body(
            self.image_shape,
            feature_maps=feature_maps if encoder == "conv" else [],
            hidden_sizes=hidden_sizes,
        )
        self.embedding = nn.Linear(size, embedding_size)
        if loss == "logistic":
            self.output = nn.Linear(embedding_size, 1)  # Koch's weights alpha
            nn.init.ones_(self.output.weight)  # begins as the L1 distance
            nn.init.constant_(self.output.bias, -margin)
        self.gallery: Gallery | None = None  # what `predict` compares with
        self.verification = Verification(neighbours=neighbours, ways=ways)
        start = 0.0 if loss == "logistic" else margin / 2
        self.register_buffer("thresholds", torch.tensor([start, 0.0]))
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.bool))

    def forward(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch embedding"]:
        x = self.embedding(self.body(image)).float()  # for distances: all digits
        return x.sigmoid() if self.loss == "logistic" else x

    def distance(
        self, a: Float[Tensor, "*some n size"], b: Float[Tensor, "*some m size"]
    ) -> Float[Tensor, "*some n m"]:
        """Return how unlike each a and each b are; for Koch's loss, minus the logit."""
        if self.loss != "logistic":
            return torch.cdist(a, b)
        weight, bias = self.output.weight[0], self.output.bias  # of either sign
        apart, alike = (
            torch.cdist(a * w, b * w, p=1) for w in (weight.relu(), (-weight).relu())
        )
        return apart - alike + bias

    def measure(self, batch: PairBatch) -> dict[str, Float[Tensor, ""]]:
        pairs = self.embedded(batch)
        apart, is_same = pairs.distances(self.distance), pairs.is_same()
        right = (apart < self.thresholds[0]) == is_same
        return {
            "loss": self._loss(pairs, apart),
            "accuracy": right.mean(dtype=torch.float32),
        }

    def embedded(self, batch: PairBatch) -> VectorPairs:
        """Return a batch's images as embeddings, both twins' at once."""
        if len(batch) != 4:
            raise UserError(
                "model=siamese learns from pairs of images, which data=mnist_pairs and "
                "data=digits_pairs give"
            )
        first, second, *labels = batch
        return VectorPairs(*self(torch.cat([first, second])).chunk(2), *labels)

    def _loss(
        self, pairs: VectorPairs, apart: Float[Tensor, " batch"]
    ) -> Float[Tensor, ""]:
        is_same = pairs.is_same()
        if self.loss == "contrastive":
            far = (self.margin - apart).relu().square()
            return torch.where(is_same, apart.square(), far).mean() / 2
        if self.loss == "logistic":
            return F.binary_cross_entropy_with_logits(-apart, is_same.float())
        others = torch.cat([pairs.first, pairs.second])
        labels = torch.cat([pairs.first_label, pairs.second_label])
        to_others = self.distance(pairs.first, others)  # (batch, 2 batch)
        is_triplet = is_same.unsqueeze(1) & (pairs.first_label.unsqueeze(1) != labels)
        hinge = (apart.unsqueeze(1) - to_others + self.margin).relu() * is_triplet
        return hinge.sum() / (hinge > 0).sum().clamp(min=1)

    def validation_step(self, batch: PairBatch, batch_idx: int) -> None:
        self._hold(batch, "val")

    def test_step(self, batch: PairBatch, batch_idx: int) -> None:
        self._hold(batch, "test")

    def _hold(self, batch: PairBatch, stage: str) -> None:
        pairs = self.embedded(batch)
        loss = self._loss(pairs, pairs.distances(self.distance))
        self.meters[stage].add({"loss": loss}, len(batch[0]))
        self.verification.add(pairs, batch)

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()
        best = self.verification.best_thresholds(self.distance)
        self.thresholds.copy_(self._sum_over_ranks(best) / self.trainer.world_size)
        self._judge("val", min(self.gallery_size, VALIDATION_GALLERY))

    def on_test_epoch_end(self) -> None:
        super().on_test_epoch_end()
        self.verification.project(
            self.loggers, shape=self.image_shape, step=self.global_step
        )
        self._judge("test", self.gallery_size)

    def _judge(self, stage: str, gallery_size: int) -> None:
        data: Any = getattr(self.trainer, "datamodule")  # noqa: B009  # untyped there
        compared = galleries(self, data.gallery(gallery_size, self.device))
        self.seen[compared[0].labels] = True
        scores = self.verification.judge(
            compared if stage == "test" else compared[:1],  # pixels do not learn
            distance=self.distance,
            thresholds=self.thresholds,
            halves=data.halves,
            seed=self.seed,
        )
        named = {f"{stage}/{name}": value for name, value in scores.items()}
        # each of several processes judges its share
        self.log_dict(named, logger=False, sync_dist=self.trainer.world_size > 1)

    def on_predict_start(self) -> None:
        """Embed training images, where there are any, to name the nearest class."""
        data: Any = getattr(self.trainer, "datamodule", None)
        if not hasattr(data, "gallery"):
            return
        try:
            data.setup()
        except UserError as missing:
            log.warning("the nearest class is left out: %s", missing)
            return
        self.gallery, _ = galleries(self, data.gallery(self.gallery_size, self.device))

    @torch.no_grad()
    def predict(self, batch: tuple[Tensor, ...]) -> list[Answer]:
        """Return what images are near to; of pairs, how far apart the two are."""
        if len(batch) == 4:
            pairs = self.embedded(batch)
            apart = pairs.distances(self.distance).tolist()
            return [self._compared(each) for each in apart]
        codes = self(batch[0])
        near = [None] * len(codes)
        if self.gallery is not None:
            labels = knn_labels(
                codes,
                *self.gallery,
                neighbours=self.verification.neighbours,
                distance=self.distance,
            ).tolist()
            names = self.class_names or [*map(str, range(len(self.seen)))]
            near = [names[label] for label in labels]
        return [
            Answer(
                ("" if name is None else f"near {name}  ")
                + f"embedding {numbers(code)}",
                {"nearest": name, "embedding": code},
            )
            for name, code in zip(near, codes.tolist(), strict=True)
        ]

    def _compared(self, apart: float) -> Answer:
        border = float(self.thresholds[0])
        is_same = apart < border
        verdict = "the same class" if is_same else "different classes"
        side = "below" if is_same else "not below"
        said = f"{verdict}: distance {apart:.4g}, {side} the threshold {border:.4g}"
        return Answer(said, {"same": is_same, "distance": apart, "threshold": border})

    @torch.no_grad()
    def illustrate(self, batch: PairBatch) -> "dict[str, Figure]":
        """Draw the embedding as a map, the ROC curves, and the pairs worst judged."""
        from nnlab.picture.code_map import code_map
        from nnlab.picture.roc import roc
        from nnlab.picture.worst_pairs import worst_pairs

        parts = zip(*(tensor.split(500) for tensor in batch), strict=True)
        pairs = joined([self.embedded(part) for part in parts])
        spaces: dict[str, tuple[VectorPairs, Distance]] = {}
        spaces["embedding"] = pairs, self.distance
        spaces["pixels"] = as_pixels(batch), torch.cdist
        apart, labels = pairs.distances(self.distance), torch.stack(batch[2:], dim=1)
        return {
            "embedding": code_map(
                pairs.first,
                pairs.first_label,
                self.class_names,
                title="embeddings of images, by class",
            ),
            "roc": roc(roc_curves(spaces, seen=self.seen)),
            "worst_pairs": worst_pairs(
                batch[0][:, 0], batch[1][:, 0], labels, apart, self.class_names
            ),
        }

    def remark(self, batch: PairBatch) -> str | None:
        """Set what the test found beside what raw pixels reach."""
        return self.verification.sentence()
