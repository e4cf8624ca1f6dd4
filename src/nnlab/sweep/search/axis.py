"""Where a parameter's value stands on an axis from 0 to 1."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from nnlab.picture.canvas import GREY
from nnlab.sweep.search.dimension import Value
from nnlab.sweep.search.options import SearchOptions
from nnlab.sweep.search.study import CategoricalDistribution, FrozenTrial

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
        places = (0.0, 0.25, 0.5, 0.75, 1.0) if self.high > self.low else (0.5,)
        return [(place, f"{self.value(place):.3g}") for place in places]

    def value(self, place: float) -> float:
        """Return the number at a place."""
        if self.log:
            return self.low * (self.high / self.low) ** place
        return self.low + place * (self.high - self.low)


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


def coloured(
    figure: Figure, axes: Axes, trials: Sequence[FrozenTrial], options: SearchOptions
) -> Callable[[FrozenTrial], Any]:
    """Add the colours' bar; return what gives a trial its colour."""
    metric = options.metrics[0]
    scale = Scale.of(metric, [trial.values[0] for trial in trials], log=None)
    good_is_low = options.directions[0] == "minimize"
    shades = ScalarMappable(Normalize(0, 1), "viridis" if good_is_low else "viridis_r")
    bar = figure.colorbar(shades, ax=axes, pad=0.02)
    ticks = scale.ticks()
    bar.set_ticks([place for place, _ in ticks], labels=[label for _, label in ticks])
    bar.ax.tick_params(colors=GREY, labelsize=8)
    bar.outline.set_visible(False)  # pyright: ignore
    bar.set_label(metric, color=GREY, fontsize=9)
    return lambda trial: shades.to_rgba(scale.place(trial.values[0]))  # pyright: ignore
