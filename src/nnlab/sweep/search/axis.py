"""Where a parameter's value stands on an axis from 0 to 1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from matplotlib.axis import Axis
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from nnlab.picture.canvas import PALETTE
from nnlab.picture.scale import linear, logarithmic, short
from nnlab.sweep.search.dimension import Value
from nnlab.sweep.search.options import SearchOptions
from nnlab.sweep.search.study import CategoricalDistribution, FrozenTrial

LEAST_TICKS = 2
MOST_OF_A_NAME = 26  # characters
# Around the best trial.
RING: dict[str, Any] = {"marker": "o", "mfc": "none", "mec": PALETTE[1], "ms": 13}
WIDE = 30  # times: what is drawn by its logarithm where nobody has said


@dataclass(frozen=True)
class Scale:
    """One parameter's axis: by its value, its logarithm, or its place among choices."""

    name: str
    low: float
    high: float
    log: bool = False
    choices: tuple[Value, ...] = ()

    @classmethod
    def of(cls, name: str, values: Sequence[float], *, log: bool | None) -> Self:
        """Return the axis of these numbers; log None: where they are far apart."""
        low, high = float(min(values)), float(max(values))
        if log is None:
            log = low > 0 and high > WIDE * low
        return cls(name, low, high, log)

    def place(self, value: Value) -> float:
        """Return 0 at the low end, 1 at the high one."""
        if self.choices:
            return self.choices.index(value) / max(1, len(self.choices) - 1)
        low, high, at = self.low, self.high, float(value)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low) if high > low else 0.5

    def ticks(self) -> list[tuple[float, str]]:
        """Return places, and what stands there."""
        if self.choices:
            return [(self.place(choice), str(choice)) for choice in self.choices]
        if self.high == self.low:
            return [(0.5, short(float(f"{self.low:.3g}")))]
        nice = logarithmic if self.log else linear
        inside = {
            value: text
            for value, text in nice(self.low, self.high).ticks.items()
            if self.low <= value <= self.high
        }
        if len(inside) < LEAST_TICKS:  # its ends say more
            ends = (self.low, self.high)
            inside = {value: short(float(f"{value:.3g}")) for value in ends}
        return [(self.place(value), text) for value, text in inside.items()]

    def write_at(self, axis: Axis) -> None:
        """Give an axis from 0 to 1 these ticks, and the name."""
        places, texts = zip(*self.ticks(), strict=True)
        axis.set_ticks(places, texts)
        axis.set_label_text(short_name(self.name))

    @property
    def is_ordered(self) -> bool:
        """Whether there is something between two of its values."""
        return all(isinstance(choice, int | float) for choice in self.choices)


def scales_of(trials: Sequence[FrozenTrial]) -> list[Scale]:
    """Return the axes of what the trials were searched for."""
    scales: list[Scale] = []
    for name, distribution in trials[0].distributions.items():
        if isinstance(distribution, CategoricalDistribution):
            choices: Any = distribution.choices
            if all(isinstance(choice, int | float) for choice in choices):
                choices = sorted(choices)
            scales.append(Scale(name, 0, 1, choices=tuple(choices)))
        else:
            values = [trial.params[name] for trial in trials]
            log = bool(getattr(distribution, "log", False))
            scales.append(Scale.of(name, values, log=log))
    return scales


def short_name(name: str) -> str:
    """Return a parameter's name, its end alone where it is long."""
    return name if len(name) < MOST_OF_A_NAME else f"…{name[2 - MOST_OF_A_NAME :]}"


def titled(options: SearchOptions, said: str) -> str:
    """Return a picture's title: the metric, which way is good, and something else."""
    good = "less" if options.directions[0] == "minimize" else "more"
    return f"{options.metrics[0]}: {good} is better; {said}"


def best_of(values: Sequence[float], options: SearchOptions) -> int:
    """Return which of the first metric's values is the best."""
    is_least = options.directions[0] == "minimize"
    return values.index((min if is_least else max)(values))


def shades(
    trials: Sequence[FrozenTrial], options: SearchOptions
) -> tuple[Scale, ScalarMappable]:
    """Return the first metric's axis, and its colours: the darker, the better."""
    values = [trial.values[0] for trial in trials]
    scale = Scale.of(options.metrics[0], values, log=None)
    good_is_low = options.directions[0] == "minimize"
    name = "viridis" if good_is_low else "viridis_r"
    return scale, ScalarMappable(Normalize(0, 1), name)
