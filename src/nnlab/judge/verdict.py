"""What a judge says of a set of images: how real, how sure, how varied."""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from nnlab.judge.classifier import FEATURES, Judge
from nnlab.judge.frechet import Moments

BLUR = 1.0  # pixels, the standard deviation


class Verdict:
    """Means over the images that were looked at; they come in batches.

    Attributes:
        moments: of their features, for `frechet_distance`.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.moments = Moments(FEATURES)
        self._counts = torch.zeros(judge.classes, dtype=torch.float64)
        self._probabilities = torch.zeros(judge.classes, dtype=torch.float64)
        self._certainty = torch.zeros((), dtype=torch.float64)

    def look(
        self, images: Iterable[Float[Tensor, "batch 1 height width"]]
    ) -> "Verdict":
        """Take in batches of images of pixels in [0, 1]; return this verdict."""
        for image in images:
            features, probability = self.judge(image)
            self.moments.add(features)
            p = probability.cpu().double()
            seen = p.argmax(dim=1).bincount(minlength=self.judge.classes)
            self._counts = self._counts + seen
            self._probabilities = self._probabilities + p.sum(dim=0)
            self._certainty = self._certainty + torch.xlogy(p, p).sum()
        return self

    def summed(self, over_ranks: Callable[[Tensor], Tensor]) -> "Verdict":
        """Return the verdict on what all processes have looked at."""
        together = Verdict(self.judge)
        together.moments = self.moments.summed(over_ranks)
        for name in ("_counts", "_probabilities", "_certainty"):
            setattr(together, name, over_ranks(getattr(self, name)))
        return together

    @property
    def shares(self) -> Float[Tensor, " classes"]:
        """The share of images taken for each class: 0 is a class left out."""
        return self._counts / self.moments.count

    @property
    def classifier_score(self) -> float:
        """From 1 to the number of classes: each image sure, all classes as frequent.

        exp of the mean KL(p(y|x) || p(y)): Salimans et al. (2016), section 4,
        https://arxiv.org/abs/1606.03498. Blind to much: blurred digits score high.
        """
        overall = self._probabilities / self.moments.count
        certainty = self._certainty / self.moments.count
        return float((certainty - torch.xlogy(overall, overall).sum()).exp())


def noise_like(
    image: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, "batch 1 height width"]:
    """Return pixels drawn evenly from [0, 1], the same at each call."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(image.shape, generator=generator).to(image.device)


def blurred(
    image: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, "batch 1 height width"]:
    """Return the images under a Gaussian of one pixel."""
    reach = torch.arange(-3.0, 4.0, device=image.device)
    kernel = (-reach.square() / (2 * BLUR**2)).exp()
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    wide = F.conv2d(image, kernel, padding=(0, 3))
    return F.conv2d(wide, kernel.transpose(2, 3), padding=(3, 0))
