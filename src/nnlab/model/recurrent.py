"""A recurrent network reads a sequence to its end and answers by a number or a class.

Hochreiter & Schmidhuber (1997), "Long Short-Term Memory", Neural Computation 9(8).
https://doi.org/10.1162/neco.1997.9.8.1735

How well it remembers is decided by how it begins (`initial_memory`):
- `identity`, for `cell: rnn`: relu, and the state kept as it is (Le, Jaitly & Hinton
  2015, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units",
  https://arxiv.org/abs/1504.00941);
- `one`, for `lstm`: forget gates with a bias of 1 (Gers, Schmidhuber & Cummins 2000;
  Jozefowicz, Zaremba & Sutskever 2015);
- `chrono`, for `lstm` and `gru`: gates that remember for 1 to T steps, T the length of
  the sequences (Tallec & Ollivier 2018, "Can Recurrent Neural Networks Warp Time?",
  https://arxiv.org/abs/1804.11188, equation 16);
- `default`: torch's own.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.answer import Answer, classified
from nnlab.effect import OnlyWith
from nnlab.learner import Learner
from nnlab.limits import Count, Natural, Positive
from nnlab.numerals import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Sequence = Float[Tensor, "batch *channel steps width"]
Truth = Shaped[Tensor, "batch *one"]  # classes (batch), or numbers (batch, 1)

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
FITTING = {  # which cells can begin so
    "default": ("rnn", "lstm", "gru"),
    "identity": ("rnn",),
    "one": ("lstm",),
    "chrono": ("lstm", "gru"),
}


@torch.no_grad()
def keep_states(rnn: nn.RNNBase) -> None:
    """Begin with states that stay as they are but for the input (Le et al. 2015)."""
    for name, parameter in rnn.named_parameters():
        if "weight_hh" in name:
            nn.init.eye_(parameter)
        elif "bias" in name:
            nn.init.zeros_(parameter)


@torch.no_grad()
def open_forget_gates(lstm: nn.RNNBase) -> None:
    """Begin with a forget gate's bias of 1: torch adds up two, the other is 0."""
    for name, bias in lstm.named_parameters():
        if "bias" in name:
            bias.chunk(4)[1].fill_(1.0 if "bias_ih" in name else 0.0)


@torch.no_grad()
def spread_memories(cell: nn.RNNBase, *, longest: int) -> None:
    """Begin with memories from 1 to `longest` steps: each b = log uniform(1, longest).

    An LSTM forgets by b and takes in by -b. A GRU's one gate does both.
    """
    is_lstm = isinstance(cell, nn.LSTM)
    for name, bias in cell.named_parameters():
        if "bias" not in name:
            continue
        gates = bias.chunk(4 if is_lstm else 3)  # input, forget … or reset, update …
        spread = torch.empty_like(gates[1]).uniform_(1, max(2, longest - 1)).log()
        if "bias_hh" in name:  # torch adds up two
            spread.zero_()
        gates[1].copy_(spread)
        if is_lstm:
            gates[0].copy_(-spread)


class Recurrent(Learner):
    """Answers after the last step of a sequence, or of an image read row by row.

    Args:
        width: numbers that come at each step.
        height: steps of a sequence.
        classes: 0: the answer is a number, under squared error.
        tolerance: a number this near to the true one is right.
    """

    only_with: ClassVar[OnlyWith] = {"tolerance": ("classes", (0,))}

    takes: ClassVar[tuple[str, ...]] = ("sequences of numbers", "images")

    def __init__(
        self,
        *,
        width: Count,
        height: Count,
        classes: Natural,
        cell: Literal["rnn", "lstm", "gru"],
        hidden_size: Count,
        layers: Count,
        bidirectional: bool,
        initial_memory: Literal["default", "identity", "one", "chrono"],
        tolerance: Positive,
    ) -> None:
        super().__init__()
        if cell not in FITTING[initial_memory]:
            fitting = [name for name, cells in FITTING.items() if cell in cells]
            raise ValueError(
                f"model.initial_memory={initial_memory} is not for model.cell={cell}; "
                f"try {' or '.join(fitting)}"
            )
        self.width, self.classes = width, classes
        self.tolerance = tolerance
        kind: dict[str, Any] = (
            {"nonlinearity": "relu"} if initial_memory == "identity" else {}
        )
        self.recurrent = CELLS[cell](
            width,
            hidden_size,
            num_layers=layers,
            bidirectional=bidirectional,
            batch_first=True,
            **kind,
        )
        self.output = nn.Linear(hidden_size * (1 + bidirectional), classes or 1)
        if initial_memory == "identity":
            keep_states(self.recurrent)
        elif initial_memory == "one":
            open_forget_gates(self.recurrent)
        elif initial_memory == "chrono":
            spread_memories(self.recurrent, longest=height)

    def forward(self, sequence: Sequence) -> Float[Tensor, "batch answers"]:
        # A program that is exported would hold on to what `len` gives.
        batch = sequence.shape[0]
        x = sequence.reshape(batch, -1, self.width)  # (batch, steps, width)
        _, last = self.recurrent(x)
        if isinstance(last, tuple):  # an LSTM's state, and its cell's
            last = last[0]
        directions = 2 if self.recurrent.bidirectional else 1
        x = (
            last[-directions:].transpose(0, 1).flatten(1)
        )  # (batch, directions * hidden)
        return self.output(x)

    def measure(self, batch: tuple[Sequence, Truth]) -> dict[str, Float[Tensor, ""]]:
        sequence, truth = batch
        answer = self(sequence)
        if self.classes:
            loss = F.cross_entropy(answer, truth)
        else:
            loss = F.mse_loss(answer, truth)
        is_right = self._is_right(answer, truth)
        return {"loss": loss, "accuracy": is_right.mean(dtype=torch.float32)}

    @torch.no_grad()
    def predict(self, batch: tuple[Sequence, Truth]) -> list[Answer]:
        """Name the likeliest classes, or the number beside the true one."""
        sequence, truth = batch
        answer = self(sequence)
        if self.classes:
            return classified(answer.softmax(dim=1), truth, self.class_names)
        right = self._is_right(answer, truth).tolist()
        pairs = zip(answer[:, 0].tolist(), truth[:, 0].tolist(), right, strict=True)
        return [
            Answer(
                f"{said:.4f}; the true one is {true:.4f}",
                {"answer": said, "truth": true, "right": is_right},
            )
            for said, true, is_right in pairs
        ]

    @torch.no_grad()
    def illustrate(self, batch: tuple[Sequence, Truth]) -> "dict[str, Figure]":
        """Draw numbers against the true ones, or which class was taken for which."""
        from nnlab.picture.confusion_matrix import confusion_matrix
        from nnlab.picture.numbers_against_truth import numbers_against_truth

        sequence, truth = batch
        answer = torch.cat([self(part) for part in sequence.split(1000)])
        if self.classes:
            drawn = confusion_matrix(answer, truth, self.class_names)
            return {"confusion_matrix": drawn}
        drawn = numbers_against_truth(answer[:, 0], truth[:, 0], self.tolerance)
        return {"answers": drawn}

    @torch.no_grad()
    def remark(self, batch: tuple[Sequence, Truth]) -> str | None:
        sequence, truth = batch
        if self.classes:
            return None
        wrong = ~self._is_right(self(sequence), truth)
        blind = ~self._is_right(truth.mean().expand_as(truth), truth)
        of_all = counted(len(truth), "sequence")
        verb = "is" if wrong.sum() == 1 else "are"
        return (
            f"{int(wrong.sum()):,} of {of_all} {verb} wrong by "
            f"{self.tolerance} or more; always to say the mean would be wrong for "
            f"{int(blind.sum()):,}."
        )

    def _is_right(
        self, answer: Float[Tensor, "batch answers"], truth: Truth
    ) -> Shaped[Tensor, " batch"]:
        if self.classes:
            return answer.argmax(dim=1) == truth
        return ((answer - truth).abs() < self.tolerance).all(dim=1)
