"""Multilayer perceptron: hidden units redraw the data until a straight line will do.

Rumelhart, Hinton & Williams (1986), "Learning representations by back-propagating
errors", Nature 323. https://doi.org/10.1038/323533a0

Departs from the paper: the output is a softmax under cross-entropy, and the activation
is a choice. `loss: squared_error`, `activation: sigmoid` and `initial_weights: uniform`
give the paper's network (`experiment=mlp_xor_1986`).
"""

from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.answer import Answer, classified
from nnlab.learner import Learner
from nnlab.limits import Count, Share

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

ACTIVATIONS = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
}


class MLP(Learner):
    """Scores an input for each class; no hidden layer makes it softmax regression."""

    takes: ClassVar[tuple[str, ...]] = ("rows of numbers", "images")

    def __init__(
        self,
        *,
        input_size: Count,
        classes: Count,
        hidden_sizes: list[Count],
        activation: Literal[
            "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu"
        ],
        dropout: Share,
        loss: Literal["cross_entropy", "squared_error"],
        initial_weights: Literal["default", "uniform"],
    ) -> None:
        super().__init__()
        self.classes = classes
        self.loss = loss
        sizes = [input_size, *hidden_sizes]
        self.hidden = nn.Sequential()
        for fan_in, fan_out in pairwise(sizes):
            self.hidden.append(nn.Linear(fan_in, fan_out))
            self.hidden.append(ACTIVATIONS[activation]())
            # one of share 0 would still cost its draw
            self.hidden.append(nn.Dropout(dropout) if dropout else nn.Identity())
        # Squared error tells two classes apart with one sigmoid unit.
        self.one_output = loss == "squared_error" and classes == 2
        self.output = nn.Linear(sizes[-1], 1 if self.one_output else classes)
        if initial_weights == "uniform":
            for parameter in self.parameters():
                nn.init.uniform_(parameter, -1, 1)

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch classes"]:
        net = self.output(self.hidden(x.flatten(1)))  # (batch, outputs)
        return F.pad(net, (1, 0)) if self.one_output else net  # 0 for the other class

    def measure(
        self, batch: tuple[Float[Tensor, "batch ..."], Int[Tensor, " batch"]]
    ) -> dict[str, Float[Tensor, ""]]:
        x, label = batch
        scores = self(x)
        if self.loss == "squared_error":
            outputs = self.output.out_features
            y = scores[:, -outputs:].sigmoid()
            target = F.one_hot(label, self.classes)[:, -outputs:]
            loss = 0.5 * (y - target).square().sum(dim=1).mean()
        else:
            loss = F.cross_entropy(scores, label)
        return {
            "loss": loss,
            "accuracy": (scores.argmax(dim=1) == label).mean(dtype=torch.float32),
        }

    @torch.no_grad()
    def predict(self, batch: tuple[Tensor, Tensor]) -> list[Answer]:
        """Name the likeliest classes; under squared error each unit speaks for its own.

        One unit for two classes is their softmax: that of (0, net) is its sigmoid.
        """
        x, label = batch
        scores = self(x)
        is_one_a_class = self.loss == "squared_error" and not self.one_output
        share = scores.sigmoid() if is_one_a_class else scores.softmax(dim=1)
        return classified(share, label, self.class_names)

    @torch.no_grad()
    def illustrate(self, batch: tuple[Tensor, Tensor]) -> "dict[str, Figure | Image]":
        """Draw the boundary between two classes, or how the classes were confused."""
        from nnlab.picture.confusion_matrix import confusion_matrix
        from nnlab.picture.decision_boundary import decision_boundary
        from nnlab.picture.image_grid import image_grid
        from nnlab.picture.worst_classified import worst_classified

        x, label = batch
        pictures: dict[str, Figure | Image] = {}
        if self.classes == 2 and x[0].numel() == 2:
            pictures["decision_boundary"] = decision_boundary(
                lambda points: self(points).softmax(dim=1)[:, 1], x, label
            )
        if self.classes > 2:
            read = self(x), label, self.class_names
            pictures["confusion_matrix"] = confusion_matrix(*read)
            if x.dim() == 4 and x.shape[1] == 1:
                images = x.squeeze(1)
                first = next(m for m in self.modules() if isinstance(m, nn.Linear))
                weights = first.weight[:64].view(-1, *images.shape[1:])
                pictures["worst_classified"] = worst_classified(images, *read)
                pictures["first_layer_weights"] = image_grid(
                    weights,
                    title=f"weights of {len(weights)} units of the first layer",
                    is_signed=True,
                )
        return pictures
