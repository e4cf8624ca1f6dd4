"""LeNet-5: learned local features, shared over the whole image, read digits.

LeCun, Bottou, Bengio & Haffner (1998), "Gradient-Based Learning Applied to Document
Recognition", Proc. IEEE 86(11), section II.B. https://doi.org/10.1109/5.726791

Departs from the paper:
- C1 pads 28x28 to the paper's 32x32, repeating the border in `1998`;
- `1998`, else the paper's network: the ten codes are drawn anew, in the style of its
  figure 3; the loss's constant j, which it leaves open, is 0.1; biases start at 0;
- `tanh`, its layout from today's parts: tanh is unscaled; S2 and S4 only average; C3
  sees all six maps of S2, not a table of subsets; the output is a softmax;
- `modern`, as textbooks draw it: as `tanh`, with max-pooling and relu.
"""

from typing import TYPE_CHECKING, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.answer import Answer, classified
from nnlab.layer.max_pool import MaxPool2x2
from nnlab.layer.pooled_convolution import pooled_convolution
from nnlab.layer.whole_convolution import WholeConvolution
from nnlab.learner import Learner
from nnlab.limits import Count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Table I: the maps of S2 that each map of C3 sees.
C3_INPUTS = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5)),
    *((0, 1, 2, 5), (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)),
)

# Ten digits of 7x12 pixels, from 0 to 9: what F6 shall say for each.
CODES = """
    ..###.. ...#... .#####. .#####. .....#. ####### ..####. ####### .#####. .#####.
    .#...#. ..##... ##...## ##...## ....##. #...... .##.... #.....# ##...## ##...##
    ##...## .###... #.....# ......# ...###. #...... ##..... .....## #.....# #.....#
    #.....# ...#... ......# ......# ..##.#. #...... #...... .....#. ##...## #.....#
    #.....# ...#... .....## .....## ..#..#. ######. #...... ....##. .#####. ##...##
    #.....# ...#... ....##. ..####. .##..#. .....## ######. ....#.. .#####. .######
    #.....# ...#... ...##.. .....## ##...#. ......# ##...## ...##.. ##...## ......#
    #.....# ...#... ..##... ......# ####### ......# #.....# ...#... #.....# ......#
    #.....# ...#... .##.... ......# .....#. ......# #.....# ..##... #.....# ......#
    ##...## ...#... ##..... ......# .....#. #.....# #.....# ..#.... #.....# .....##
    .#...#. ...#... #...... ##...## .....#. ##...## ##...## .##.... ##...## ....##.
    ..###.. .#####. ####### .#####. .....#. .#####. .#####. .#..... .#####. .####..
"""

PAPER_SIZES = (6, 16, 120, 84)  # feature maps of C1, C3 and C5, units of F6

RUBBISH_PENALTY = 0.1  # j of equation 9: the digits compete with "none of them"


def draw_by_fan_in(weight: Tensor, *, fan_in: int) -> None:
    """Draw weights uniformly from +-2.4 / fan-in (appendix A)."""
    nn.init.uniform_(weight, -2.4 / fan_in, 2.4 / fan_in)


def scaled_tanh(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Return 1.7159 tanh(2x/3), which maps +-1 to +-1 (appendix A)."""
    return 1.7159 * torch.tanh(2 / 3 * x)


class Subsampling(nn.Module):
    """Squashes the sum of each 2x2 times a trained coefficient plus a trained bias."""

    def __init__(self, *, maps: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((maps, 1, 1), 0.25))  # the mean
        self.bias = nn.Parameter(torch.zeros(maps, 1, 1))

    def forward(
        self, x: Float[Tensor, "batch maps height width"]
    ) -> Float[Tensor, "batch maps height//2 width//2"]:
        return scaled_tanh(self.coefficient * 4 * F.avg_pool2d(x, 2) + self.bias)


class SparseConvolution(nn.Module):
    """A convolution of 5x5 in which each output map sees only some of the inputs."""

    pairs: Tensor

    def __init__(self, *, inputs: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        pairs = [(out, into) for out, seen in enumerate(inputs) for into in seen]
        self.shape = (len(inputs), 1 + max(into for _, into in pairs), 5, 5)
        self.register_buffer("pairs", torch.tensor(pairs).T, persistent=False)
        self.kernels = nn.Parameter(torch.empty(len(pairs), 5, 5))
        self.bias = nn.Parameter(torch.zeros(len(inputs)))
        for kernel, (out, _) in zip(self.kernels, pairs, strict=True):
            draw_by_fan_in(kernel, fan_in=25 * len(inputs[out]))

    def forward(
        self, x: Float[Tensor, "batch inputs height width"]
    ) -> Float[Tensor, "batch maps height-4 width-4"]:
        weight = self.kernels.new_zeros(self.shape)
        weight = weight.index_put(tuple(self.pairs), self.kernels)
        return F.conv2d(x, weight, self.bias)


class RadialBasis(nn.Module):
    """Minus the squared distance from x to each class's fixed code (equation 7)."""

    codes: Tensor

    def __init__(self, *, classes: int) -> None:
        super().__init__()
        if classes > 10:
            raise ValueError(
                f"model.classes={classes} and model.variant=1998, which has 10 codes; "
                "try model.variant=modern"
            )
        rows = [line.split() for line in CODES.strip().split("\n")]
        pixels = [
            [1.0 if pixel == "#" else -1.0 for row in rows for pixel in row[digit]]
            for digit in range(classes)
        ]
        self.register_buffer("codes", torch.tensor(pixels), persistent=False)

    def forward(self, x: Float[Tensor, "batch 84"]) -> Float[Tensor, "batch classes"]:
        return -(x.unsqueeze(1) - self.codes).square().sum(dim=2)


class LeNet5(Learner):
    """Scores a 28x28 grey image for each class; layers keep the paper's names."""

    def __init__(
        self,
        *,
        variant: Literal["tanh", "modern", 1998],
        sizes: tuple[Count, Count, Count, Count],
        classes: Count,
    ) -> None:
        super().__init__()
        c1, c3, c5, f6 = sizes
        if variant == 1998 and sizes != PAPER_SIZES:
            raise ValueError(
                f"model.sizes={list(sizes)} does not go with model.variant=1998, whose "
                f"tables are for {list(PAPER_SIZES)}; take modern or tanh"
            )
        self.variant = variant
        if variant == 1998:
            self.squash = scaled_tanh
            self.c1 = nn.Conv2d(1, 6, 5, padding=2, padding_mode="replicate")
            self.s2 = Subsampling(maps=6)
            self.c3 = SparseConvolution(inputs=C3_INPUTS)
            self.s4 = Subsampling(maps=16)
        else:
            has_maximum = variant == "modern"
            self.squash = torch.relu if has_maximum else torch.tanh
            self.c1 = nn.Conv2d(1, c1, kernel_size=5, padding=2)
            self.s2 = MaxPool2x2() if has_maximum else nn.AvgPool2d(2)
            self.c3 = nn.Conv2d(c1, c3, kernel_size=5)
            self.s4 = MaxPool2x2() if has_maximum else nn.AvgPool2d(2)
        self.c5 = WholeConvolution(c3, c5, kernel_size=5)
        self.f6 = nn.Linear(c5, f6)
        if variant == 1998:
            self.output = RadialBasis(classes=classes)
            for layer in (self.c1, self.c5, self.f6):
                draw_by_fan_in(layer.weight, fan_in=layer.weight[0].numel())
        else:
            self.output = nn.Linear(f6, classes)

    def forward(
        self, image: Float[Tensor, "batch 1 28 28"]
    ) -> Float[Tensor, "batch classes"]:
        if self.variant == "modern":  # two lines at once
            x = pooled_convolution(self.c1, self.s2, image)
            x = pooled_convolution(self.c3, self.s4, x)
        else:
            x = self.squash(self.c1(image))  # (batch, C1, 28, 28)
            x = self.s2(x)  # (batch, C1, 14, 14)
            x = self.squash(self.c3(x))  # (batch, C3, 10, 10)
            x = self.s4(x)  # (batch, C3, 5, 5)
        x = self.squash(self.c5(x)).flatten(1)  # (batch, C5)
        x = self.squash(self.f6(x))  # (batch, F6)
        return self.output(x)

    def measure(
        self, batch: tuple[Float[Tensor, "batch 1 28 28"], Int[Tensor, " batch"]]
    ) -> dict[str, Float[Tensor, ""]]:
        image, digit = batch
        scores = self(image)
        return {
            "loss": F.cross_entropy(self._rivals(scores), digit),
            "accuracy": (scores.argmax(dim=1) == digit).mean(dtype=torch.float32),
        }

    @torch.no_grad()
    def predict(self, batch: tuple[Tensor, Tensor]) -> list[Answer]:
        """Name the likeliest digits; `1998` leaves some probability to none of them."""
        image, digit = batch
        scores = self(image)
        share = self._rivals(scores).softmax(dim=1)[:, : scores.shape[1]]
        return classified(share, digit, self.class_names)

    def _rivals(
        self, scores: Float[Tensor, "batch classes"]
    ) -> Float[Tensor, "batch rivals"]:
        if self.variant == 1998:  # equation 9, as a softmax with one more class
            return F.pad(scores, (0, 1), value=-RUBBISH_PENALTY)
        return scores

    @torch.no_grad()
    def illustrate(self, batch: tuple[Tensor, Tensor]) -> "dict[str, Figure]":
        """Draw C1's filters, one digit's maps, and how the digits were read."""
        from nnlab.picture.confusion_matrix import confusion_matrix
        from nnlab.picture.image_grid import image_grid
        from nnlab.picture.worst_classified import worst_classified

        images, digits = batch
        scores = torch.cat([self(part) for part in torch.split(images, 500)])
        layers = {"C1": self.squash(self.c1(images[:1]))}
        layers["S2"] = self.s2(layers["C1"])
        layers["C3"] = self.squash(self.c3(layers["S2"]))
        layers["S4"] = self.s4(layers["C3"])
        maps = [F.interpolate(x, size=28)[0] for x in layers.values()]
        names = [f"{k} {i}" for k, x in layers.items() for i in range(x.shape[1])]
        return {
            "filters": image_grid(
                self.c1.weight.squeeze(1),
                title="C1's filters",
                columns=6,
                is_signed=True,
            ),
            "feature_maps": image_grid(
                torch.cat(maps),
                titles=names,
                title="one image, as each layer's maps see it; bright: high",
                columns=11,
            ),
            "confusion_matrix": confusion_matrix(scores, digits, self.class_names),
            "worst_classified": worst_classified(
                images.squeeze(1), scores, digits, self.class_names
            ),
        }
