"""The scale of an axis: from where to where, which numbers stand at it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

MOST_TICKS = 6
MARGIN = 0.05  # of the extent, on both sides of what is drawn
MINUS = "\N{MINUS SIGN}"
NICE = (1, 2, 2.5, 5, 10)  # steps from one number to the next, times a power of ten


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`, with numbers at `ticks`."""

    low: float
    high: float
    ticks: dict[float, str]  # what is written there
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return how far along the axis a value lies, from 0 to 1."""
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def linear(
    low: float, high: float, *, is_tight: bool = False, is_whole: bool = False
) -> Scale:
    """Return the scale of values from `low` to `high`.

    Args:
        low, high: of what is drawn; finite.
        is_tight: leave no margin.
        is_whole: numbers between whole ones mean nothing: a count.
    """
    if low == high:
        room = abs(low) * MARGIN or 1.0
        low, high = low - room, high + room
    elif not is_tight:
        room = (high - low) * MARGIN
        low, high = low - room, high + room
    step = _nice_step((high - low) / (MOST_TICKS - 1))
    if is_whole:
        step = max(1.0, math.ceil(step))  # 3 instead of 2.5
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [number * step for number in range(first, last + 1)]
    return Scale(low, high, dict(zip(values, _written(values, step), strict=True)))


def around_constant(value: float) -> Scale:
    """Return the scale of what does not change: from zero, not magnified."""
    if value == 0:
        return linear(0, 1, is_tight=True)
    return linear(min(0, 2 * value), max(0, 2 * value), is_tight=True)


def is_constant(low: float, high: float) -> bool:
    """Tell whether two values differ by no more than rounding."""
    return math.isclose(low, high, rel_tol=1e-6)


def logarithmic(low: float, high: float) -> Scale:
    """Return the scale of values from `low` to `high`, both positive."""
    room = (high / low) ** MARGIN if high > low else 1.5
    low, high = low / room, high * room
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [10.0**power for power in powers if low <= 10.0**power <= high]
    if high < 1000 * low:  # too few to read by
        for factors in ((1, 2, 5), (1, 3)):
            values = [
                factor * 10.0**power
                for power in powers
                for factor in factors
                if low <= factor * 10.0**power <= high
            ]
            if len(values) <= MOST_TICKS:
                break
    if len(values) > MOST_TICKS:
        values = values[:: -(-len(values) // MOST_TICKS)]
    return Scale(low, high, {value: short(value) for value in values}, is_log=True)


def short(value: float) -> str:
    """Return a number in few characters: 20,000, 1.5M, 0.05, 2e-5."""
    size = abs(value)
    if size >= 1e6:
        power = 6 if size < 1e9 else 9 if size < 1e12 else None
        letter = {6: "M", 9: "G"}.get(power or 0, "")
        text = f"{value / 10.0**power:g}{letter}" if power else f"{value:.3g}"
    elif size >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.6g}"
    return text.replace("e-0", "e-").replace("e+", "e").replace("-", MINUS)


def _nice_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(n * power for n in (*NICE, 20) if n * power >= raw * (1 - 1e-9))


def _written(values: Sequence[float], step: float) -> list[str]:
    """Return the numbers, all with as many decimals as tell them apart."""
    if max(map(abs, values), default=0) >= 1e4 or step < 1e-4:
        return [short(float(f"{value:.12g}")) for value in values]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if round(step * 10**decimals, 6) % 1:
        decimals += 1  # 2.5
    return [f"{value + 0.0:,.{decimals}f}".replace("-", MINUS) for value in values]
