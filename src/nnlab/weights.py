"""How many weights a run's model has, and how many of them learn."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from nnlab.numerals import counted

if TYPE_CHECKING:  # a terminal says these numbers without torch
    from torch import nn


@dataclass(frozen=True)
class Weights:
    """A model's numbers: all of them, and those that a run changes."""

    all: int
    learning: int

    @classmethod
    def of(cls, model: "nn.Module", callbacks: Iterable[Any]) -> Self:
        """Count a model's, of which callbacks may freeze some in the run."""
        frozen = frozen_by(callbacks, model)
        named = dict(model.named_parameters())
        return cls(
            all=sum(weight.numel() for weight in named.values()),
            learning=sum(
                weight.numel()
                for name, weight in named.items()
                if weight.requires_grad and name not in frozen
            ),
        )

    def __str__(self) -> str:
        """Return `50,890 parameters, 1,290 of them learn`; the latter where not all."""
        said = counted(self.all, "parameter")
        if self.learning == self.all:
            return said
        verb = "learns" if self.learning == 1 else "learn"
        return f"{said}, {self.learning:,} of them {verb}"


def frozen_by(callbacks: Iterable[Any], model: "nn.Module") -> set[str]:
    """Return the weights that a run's callbacks never let learn, by name.

    A callback that freezes some says which: `frozen(learner)` returns their names.
    """
    names: set[str] = set()
    for callback in callbacks:
        frozen: Any = getattr(callback, "frozen", None)
        if callable(frozen):  # a stranger's attribute may be called so
            found: Any = frozen(model)
            names.update(found)
    return names
