"""Answer: what a model makes of one example, in its own words and as values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor

from nnlab.numerals import percent

LIKELY = 3  # classes that are named
SHOWN = 8  # numbers of a vector that are


class Answer:
    """What a model makes of one example.

    No dataclass: those Lightning goes through, number by number.

    Attributes:
        said: for a person, in one line.
        values: for a program, by name: numbers, texts, truths, and lists of them.
        images: grey values (height, width) by name, where there is something to see.
    """

    def __init__(
        self,
        said: str,
        values: Mapping[str, Any],
        images: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.said, self.values, self.images = said, values, images or {}


def classified(
    probabilities: Float[Tensor, "batch classes"],
    labels: Int[Tensor, " batch"],
    names: Sequence[str] = (),
) -> list[Answer]:
    """Return the likeliest classes of each example.

    Args:
        labels: the right ones; -1 where nobody said.
        names: what the classes are called; () is by their number.
    """
    names = names or [str(label) for label in range(probabilities.shape[1])]
    answers: list[Answer] = []
    for row, truth in zip(probabilities.float().tolist(), labels.tolist(), strict=True):
        ranked = sorted(range(len(row)), key=row.__getitem__, reverse=True)
        first, *others = [f"{names[i]} {percent(row[i])}" for i in ranked[:LIKELY]]
        values = {
            "label": names[ranked[0]],
            "probability": row[ranked[0]],
            "probabilities": dict(zip(names, row, strict=True)),
        }
        said = first + (f", then {', '.join(others)}" if others else "")
        answers.append(judged(said, values, ranked[0], truth, names))
    return answers


def judged(
    said: str, values: Mapping[str, Any], label: int, truth: int, names: Sequence[str]
) -> Answer:
    """Return an answer that says so where another class is known to be right."""
    if truth < 0:
        return Answer(said, values)
    wrong = "" if label == truth else f" (wrong: it is {names[truth]})"
    right = {"truth": names[truth], "right": label == truth}
    return Answer(said + wrong, {**values, **right})


def numbers(vector: Iterable[float]) -> str:
    """Return a vector as it is read: its first numbers, and how many there are."""
    every = list(vector)
    shown = " ".join(f"{number:.4g}" for number in every[:SHOWN])
    return shown + (f" … ({len(every)} numbers)" if len(every) > SHOWN else "")


def by_row(output: Tensor) -> Sequence[Answer]:
    """Return the numbers that a model gives each example, of which no more is known."""
    rows = output.flatten(1) if output.dim() > 1 else output.unsqueeze(1)
    return [Answer(numbers(row), {"output": row}) for row in rows.tolist()]


def told(
    net: Float[Tensor, "batch units"],
    labels: Int[Tensor, " batch"],
    names: Sequence[str] = (),
) -> list[Answer]:
    """Return the class that threshold units tell: they know sums, no probabilities.

    One unit tells two classes apart, by whether its sum is above 0; of several the
    largest wins.
    """
    names = names or [str(label) for label in range(max(net.shape[1], 2))]
    answers: list[Answer] = []
    for sums, truth in zip(net.tolist(), labels.tolist(), strict=True):
        label = int(sums[0] > 0) if len(sums) == 1 else sums.index(max(sums))
        values = {"label": names[label], "net_input": sums}
        said = f"{names[label]}, net input {numbers(sums)}"
        answers.append(judged(said, values, label, truth, names))
    return answers
