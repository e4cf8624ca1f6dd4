"""Perceptron: a weighted sum of the inputs and a threshold draw one straight line.

McCulloch & Pitts (1943), "A Logical Calculus of the Ideas Immanent in Nervous
Activity", for the unit. https://doi.org/10.1007/BF02478259
Rosenblatt (1958), "The Perceptron", Psychological Review 65(6), for the rule.
https://doi.org/10.1037/h0042519
Freund & Schapire (1999), "Large Margin Classification Using the Perceptron Algorithm",
Machine Learning 37(3), for averaged weights. https://doi.org/10.1023/A:1007662407062

Departs from the papers:
- weights are real numbers, and the threshold is a trained bias;
- more than two classes have a unit each, and the largest sum wins.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.answer import Answer, classified, told
from nnlab.learner import Learner
from nnlab.limits import Count

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image


def separable(
    points: Float[Tensor, "points features"],
    labels: Int[Tensor, " points"],
    *,
    use_bias: bool,
) -> bool:
    """Return whether a hyperplane separates label 1 from label 0.

    A linear programme finds w and b with w.x + b >= 1 for label 1 and <= -1 for label
    0, or proves that there are none.
    """
    # here, because it is slow to import; it has no type stubs
    from scipy.optimize import linprog  # pyright: ignore

    sign = labels.double().mul(2).sub(1).unsqueeze(1)
    inputs = F.pad(points.double(), (0, 1), value=1.0) if use_bias else points.double()
    result = linprog(
        c=[0.0] * inputs.shape[1],
        A_ub=(-sign * inputs).numpy(),
        b_ub=[-1.0] * len(inputs),
        bounds=(None, None),
        method="highs",
    )
    return bool(result.status == 0)  # pyright: ignore  # 2: infeasible


def most_separable(
    points: Float[Tensor, "points features"],
    labels: Int[Tensor, " points"],
    *,
    use_bias: bool,
) -> int:
    """Return how many points one hyperplane gets right at most; tries every subset."""
    for size in range(len(points), 0, -1):
        for kept in combinations(range(len(points)), size):
            index = list(kept)
            if separable(points[index], labels[index], use_bias=use_bias):
                return size
    return 0


class Perceptron(Learner):
    """One layer of units: one unit for two classes, else a unit a class.

    Both kinds of unit learn by w += a (y - y^) x, as gradient descent with learning
    rate a: with the threshold's y^ of 0 or 1 that is Rosenblatt's rule, with the
    sigmoid's y^ the delta rule, which descends the cross-entropy.
    """

    takes: ClassVar[tuple[str, ...]] = ("rows of numbers", "images")

    seen_batches: Tensor
    average_weight: Tensor

    def __init__(
        self,
        *,
        input_size: Count,
        classes: Count,
        unit: Literal["threshold", "sigmoid"],
        use_bias: bool,
        initial_weights: Literal["zero", "uniform"],
        averaged: bool,
    ) -> None:
        super().__init__()
        self.unit = unit
        self.classes = classes
        self.averaged = averaged
        self.use_bias = use_bias
        units = 1 if classes == 2 else classes
        self.units = nn.Linear(input_size, units, bias=use_bias)
        for parameter in self.units.parameters():
            if initial_weights == "zero":
                nn.init.zeros_(parameter)
            else:
                nn.init.uniform_(parameter, -1, 1)
        if averaged:
            self.register_buffer("seen_batches", torch.zeros(()))
            for name, parameter in self.units.named_parameters():
                self.register_buffer(f"average_{name}", parameter.detach().clone())

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch classes"]:
        weight, bias = self.units.weight, self.units.bias
        if self.averaged and not self.training:
            weight, bias = self.average_weight, getattr(self, "average_bias", None)
        net = F.linear(x.flatten(1), weight, bias)  # (batch, units)
        return F.pad(net, (1, 0)) if self.classes == 2 else net  # 0 for the other class

    def measure(
        self, batch: tuple[Float[Tensor, "batch ..."], Int[Tensor, " batch"]]
    ) -> dict[str, Float[Tensor, ""]]:
        x, label = batch
        if self.averaged and self.training:
            self._average()
        scores = self(x)
        units = self.units.out_features
        net = scores[:, -units:]
        target = F.one_hot(label, self.classes)[:, -units:].to(net.dtype)
        if self.unit == "threshold":
            # A step has no slope to descend. This is how far the net input is on the
            # wrong side; its gradient is y^ - y, also where the net input is 0.
            fired = (net > 0).to(net.dtype)
            loss = (fired - target) * net
        else:
            loss = F.binary_cross_entropy_with_logits(net, target, reduction="none")
        return {
            "loss": loss.sum(dim=1).mean(),
            "accuracy": (scores.argmax(dim=1) == label).mean(dtype=torch.float32),
        }

    @torch.no_grad()
    def predict(self, batch: tuple[Tensor, Tensor]) -> list[Answer]:
        """Name the class; a threshold unit knows its net input, no probability."""
        x, label = batch
        scores = self(x)
        if self.unit == "sigmoid":
            is_one = self.classes == 2  # its two classes have one unit
            share = scores.softmax(dim=1) if is_one else scores.sigmoid()
            return classified(share, label, self.class_names)
        return told(scores[:, -self.units.out_features :], label, self.class_names)

    @torch.no_grad()
    def illustrate(
        self, batch: tuple[Tensor, Tensor]
    ) -> "Mapping[str, Figure | Image]":
        x, label = batch
        if self.classes > 2:
            from nnlab.picture.confusion_matrix import confusion_matrix

            drawn = confusion_matrix(self(x), label, self.class_names)
            return {"confusion_matrix": drawn}
        if x[0].numel() != 2:
            return {}
        from nnlab.picture.decision_boundary import decision_boundary

        picture = decision_boundary(self._probability, x, label)
        return {"decision_boundary": picture}

    @torch.no_grad()
    def remark(self, batch: tuple[Tensor, Tensor]) -> str | None:
        """Return whether a hyperplane could separate the points that this one does not.

        None where there is nothing to say: all are right, there are more than two
        classes, or too many points to decide in a moment.
        """
        x, label = batch
        rows = torch.cat([x.flatten(1), label.unsqueeze(1).to(x.dtype)], dim=1)
        rows = cast(Tensor, torch.unique(rows.cpu(), dim=0))  # pyright: ignore
        points, labels = rows[:, :-1], rows[:, -1].long()
        right = (self(x).argmax(dim=1) == label).all()
        if right or self.classes > 2 or len(points) > 1000 or points.shape[1] > 64:
            return None
        border = {2: "straight line", 3: "plane"}.get(points.shape[1], "hyperplane")
        border += "" if self.use_bias else " through the origin"
        if separable(points, labels, use_bias=self.use_bias):
            return f"A {border} separates these {len(points)} points: train for longer."
        remark = (
            f"No {border} separates these {len(points)} points (a linear programme "
            "finds none), so one layer cannot learn them"
        )
        if len(points) > 8:  # the subsets of more take too long
            return f"{remark}."
        most = most_separable(points, labels, use_bias=self.use_bias)
        return f"{remark}: {most} of {len(points)} is the most it can get."

    def _probability(self, points: Tensor) -> Tensor:
        net = self(points)[:, 1]
        return (net > 0).float() if self.unit == "threshold" else net.sigmoid()

    def _average(self) -> None:
        """Take the weights into their mean over all batches, before they learn."""
        self.seen_batches += 1
        for name, parameter in self.units.named_parameters():
            average = getattr(self, f"average_{name}")
            average.lerp_(parameter.detach(), 1 / self.seen_batches)
