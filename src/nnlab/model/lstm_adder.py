"""LSTM adder: a recurrent network adds two numbers bit by bit; it remembers the carry.

Hochreiter & Schmidhuber (1997), "Long Short-Term Memory", Neural Computation 9(8),
https://doi.org/10.1162/neco.1997.9.8.1735, with the forget gate of Gers, Schmidhuber &
Cummins (2000), "Learning to Forget", Neural Computation 12(10). `cell: explicit` is
the same LSTM written out; others are:
- `rnn`: tanh of input and state (Elman 1990, "Finding Structure in Time");
- `identity_rnn`: relu, the state kept at first (Le et al. 2015, arXiv 1504.00941);
- `gru`: two gates (Cho et al. 2014, arXiv 1406.1078).
"""

import re
from typing import TYPE_CHECKING, Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from nnlab.answer import Answer
from nnlab.learner import Learner
from nnlab.limits import Count
from nnlab.numerals import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Addends = Float[Tensor, "batch time 2"]  # a bit of each number at a time
Total = Int[Tensor, "batch time"]
States = Float[Tensor, "batch time units"]

SHOWN_SUMS, SHOWN_STATES = 5, 250  # of a batch
HIDDEN = 12  # digits, at least, for which it is worth to shorten a number
SEEN = ("input gate", "forget gate", "candidate", "output gate", "state")
GATES = tuple(name for name in SEEN if "gate" in name)  # from 0 to 1


def read(lstm: nn.LSTM, x: States, layer: str) -> dict[str, States]:
    """Go through time once, as torch does, and return all there is to see, by name."""
    weight_x, weight_h, bias_x, bias_h = (
        getattr(lstm, f"{kind}_{layer}")
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    h = c = x.new_zeros(len(x), lstm.hidden_size)  # c: memory; h: what it says
    seen: list[tuple[Tensor, ...]] = []
    for now in x.unbind(dim=1):
        net = F.linear(now, weight_x, bias_x) + F.linear(h, weight_h, bias_h)
        i, f, g, o = net.chunk(4, dim=1)  # (batch, hidden) each, in torch's order
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g  # forget some, add some
        h = o * c.tanh()
        seen.append((i, f, g, o, h))
    in_time = [torch.stack(part, dim=1) for part in zip(*seen, strict=True)]
    return dict(zip(SEEN, in_time, strict=True))


def read_layers(lstm: nn.LSTM, x: States) -> tuple[States, dict[str, States]]:
    """Return the last layer's states, and what is seen of it forwards in time."""
    seen: dict[str, States] = {}
    for layer in range(lstm.num_layers):
        seen = read(lstm, x, f"l{layer}")
        states = [seen["state"]]
        if lstm.bidirectional:  # from the end to the beginning, and turned round
            backwards = read(lstm, x.flip(1), f"l{layer}_reverse")
            states.append(backwards["state"].flip(1))
        x = torch.cat(states, dim=2)  # (batch, time, directions * hidden)
    return x, seen


class ExplicitLSTM(nn.LSTM):
    """torch's LSTM, weights and all, with nothing hidden."""

    def forward(self, x: States) -> tuple[States, None]:  # pyright: ignore
        return read_layers(self, x)[0], None


GATED = {"lstm": nn.LSTM, "explicit": ExplicitLSTM, "gru": nn.GRU}


@torch.no_grad()
def keep_states(rnn: nn.Module) -> None:
    """Begin with states that stay as they are but for the input (Le et al. 2015)."""
    for name, parameter in rnn.named_parameters():
        if "weight_hh" in name:
            nn.init.eye_(parameter)
        elif "bias" in name:
            nn.init.zeros_(parameter)


def carries(addends: Addends, total: Total) -> Total:
    """Return the carry out of each place of a sum, in whatever order they come."""
    ones = addends.sum(dim=2).long()
    return (ones + (total - ones) % 2) // 2  # the sum's bit tells of the carry in


def shortened(text: str) -> str:
    """Return a text whose long numbers are told by their first and last digits."""
    return re.sub(rf"(\d{{6}})\d{{{HIDDEN},}}(\d{{6}})", r"\1…\2", text)


class LSTMAdder(Learner):
    """Says one bit of the sum at each step, after the same bits of both numbers."""

    def __init__(
        self,
        *,
        cell: Literal["rnn", "identity_rnn", "lstm", "gru", "explicit"],
        hidden_size: Count,
        layers: Count,
        bidirectional: bool,
        least_significant_first: bool,
    ) -> None:
        super().__init__()
        self.least_significant_first = least_significant_first
        self.recurrent = GATED.get(cell, nn.RNN)(
            2,
            hidden_size,
            num_layers=layers,
            bidirectional=bidirectional,
            batch_first=True,
            **({"nonlinearity": "relu"} if cell == "identity_rnn" else {}),
        )
        if cell == "identity_rnn":
            keep_states(self.recurrent)
        self.output = nn.Linear(hidden_size * (1 + bidirectional), 1)

    def forward(self, addends: Addends) -> Float[Tensor, "batch time"]:
        """Return for each bit of the sum how much speaks for a 1, above 0, or a 0."""
        states, _ = self.recurrent(addends)  # (batch, time, units)
        return self.output(states).squeeze(2)

    def measure(self, batch: tuple[Addends, Total]) -> dict[str, Float[Tensor, ""]]:
        """A number is right where all its bits are."""
        addends, total = batch
        scores = self(addends)
        is_right = (scores > 0) == total.bool()
        return {
            "loss": F.binary_cross_entropy_with_logits(scores, total.type_as(scores)),
            "accuracy": is_right.all(dim=1).mean(dtype=torch.float32),
            "bit_accuracy": is_right.mean(dtype=torch.float32),
        }

    def on_test_epoch_end(self) -> None:
        super().on_test_epoch_end()
        data: Any = getattr(self.trainer, "datamodule")  # noqa: B009  # untyped there
        for bits, (addends, total) in data.longer().items():
            batch = addends.to(self.output.weight), total.to(self.device)
            accuracy = self.measure(batch)["accuracy"]
            self.log(f"test/accuracy_{bits}bit", accuracy, logger=False)

    @torch.no_grad()
    def add(self, first: int, second: int) -> int:
        """Return what the network says that two numbers of any length give."""
        places = range(max(first, second).bit_length() + 1)
        bits = [[first >> place & 1, second >> place & 1] for place in places]
        addends = torch.tensor([bits], dtype=torch.float32, device=self.device)
        if not self.least_significant_first:
            addends = addends.flip(1)
        return self._number(self(addends)[0] > 0)

    @torch.no_grad()
    def predict(self, batch: tuple[Addends, Total]) -> list[Answer]:
        """Write each sum as the network says it, and the true one where it is wrong."""
        addends, total = batch
        said = [self._number(bits) for bits in self(addends) > 0]
        true = [self._number(bits) for bits in total]
        sums = [text.splitlines()[-1] for text in self._in_words(addends, total)]
        return [
            Answer(words, {"sum": mine, "truth": truth, "right": mine == truth})
            for words, mine, truth in zip(sums, said, true, strict=True)
        ]

    @torch.no_grad()
    def illustrate(self, batch: tuple[Addends, Total]) -> "dict[str, Figure | str]":
        """Write sums; draw the state against the carry, and an LSTM's gates."""
        from nnlab.picture.labelled_plane import labelled_plane
        from nnlab.picture.states_in_time import states_in_time

        addends, total = (part[:SHOWN_STATES] for part in batch)
        carry = carries(addends, total)
        states, _ = self.recurrent(addends)
        shown = {"state_in_time": {"state": states}}
        if isinstance(self.recurrent, nn.LSTM):
            shown["gates_in_time"] = read_layers(self.recurrent, addends)[1]
        n = int(carry.diff(dim=1).abs().sum(dim=1).argmax())  # it carries on and off
        steps = [f"{a:.0f}+{b:.0f}" for a, b in addends[n].tolist()]
        pictures: dict[str, Figure | str] = {}
        for name, parts in shown.items():
            one = {part: values[n] for part, values in parts.items()}
            pictures[name] = states_in_time(
                one,
                carry[n],
                signal="carry",
                title="two numbers added bit by bit: each row is a unit",
                gates=GATES,
                steps=steps,
            )
        pictures["state_and_carry"] = labelled_plane(
            states.flatten(0, 1),
            carry.flatten(),
            names=("no carry", "carry"),
            title="states after each pair of bits, by the carry",
        )
        pictures["sums"] = "\n\n".join(self._in_words(addends[:SHOWN_SUMS], total))
        return pictures

    @torch.no_grad()
    def remark(self, batch: tuple[Addends, Total]) -> str:
        addends, total = batch
        is_wrong = ((self(addends) > 0) != total.bool()).any(dim=1)
        # the wrong ones first, where there are any
        order = is_wrong.int().argsort(descending=True, stable=True)[:3]
        texts = self._in_words(addends[order], total[order])
        sums = "; ".join(shortened(text.splitlines()[-1]) for text in texts)
        wrong, of_all = int(is_wrong.sum()), counted(len(total), "sum")
        verb = "is" if wrong == 1 else "are"
        return f"{sums}: {wrong:,} of {of_all} never trained on {verb} wrong."

    def _in_words(self, addends: Addends, total: Total) -> list[str]:
        """Return three lines a sum: bits, the most significant first, and numbers."""
        texts: list[str] = []
        for pair, said, true in zip(addends, self(addends) > 0, total, strict=False):
            a, b, mine, truth = map(self._number, (*pair.T, said, true))
            bits = [" ".join(f"{number:0{len(true)}b}") for number in (mine, truth)]
            end = f", not {truth}" if mine != truth else ""
            texts.append(
                f"prediction  {bits[0]}\ntruth       {bits[1]}\n{a} + {b} = {mine}{end}"
            )
        return texts

    def _number(self, bits: Tensor) -> int:
        most_first = bits.flip(0) if self.least_significant_first else bits
        return int("".join(str(int(bit)) for bit in most_first), base=2)
