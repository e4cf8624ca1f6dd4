"""Curves in one frame as SVG, to be put into a page: its colours, its font.

Written by hand: a run's end would wait 50 ms for matplotlib to draw each metric.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from nnlab.picture.canvas import PALETTE
from nnlab.picture.curves import Series, spans_decades
from nnlab.picture.scale import (
    Scale,
    around_constant,
    is_constant,
    linear,
    logarithmic,
)

WIDTH, PLOT_HEIGHT = 281.0, 142.0  # pixels, which the page scales
LEFT, RIGHT, BELOW = 16.0, 8.0, 34.0  # of the frame: to the numbers, the edge, the edge
LETTER, ROW = 5.3, 13.0  # a letter's width, about; a line of text
SPARSE = 20  # so few points are marked
INK = 'fill="none" stroke="currentColor"'


def curve_drawing(title: str, series: Mapping[str, Series]) -> str:
    """Return one SVG with each series over its steps; `train` is thin.

    A value that is not a finite number is left out, as a gap.

    Args:
        title: above the frame.
        series: steps and values by name.
    """
    steps = [step for steps, _ in series.values() for step in steps]
    values = [v for _, values in series.values() for v in values if math.isfinite(v)]
    first = 0 if len(set(steps)) == 1 else min(steps, default=0)
    across = linear(first, max(steps, default=1), is_whole=True)
    up = _upwards(values, is_log=spans_decades(series))
    left = LEFT + LETTER * max(map(len, up.ticks.values()), default=0)
    places = list(_key_places(title, list(series), left)) if len(series) > 1 else []
    rows = max((row for _, row in places), default=0)
    frame = _Frame(across, up, left, 20 + rows * ROW)
    parts = [*frame.axes()]
    for position, (name, points) in enumerate(series.items()):
        colour = PALETTE[position % len(PALETTE)]
        width = 1.4 if name == "train" else 2
        is_marked = len(points[0]) <= (1 if name == "train" else SPARSE)
        parts.append(frame.curve(points, colour, width, is_marked=is_marked))
        for x, row in places[position : position + 1]:
            parts.append(_key(name, x, 11 + row * ROW, colour, width))
    room = WIDTH - left if len(title) * LETTER > WIDTH - left else None
    x, is_centred = (left, False) if places or room else (frame.middle, True)
    parts.append(_text(title, x, 11, is_centred, room))
    parts.append(_text("step", frame.middle, frame.bottom + 29, True))
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {frame.bottom + BELOW:.0f}" '
        f'font-family="system-ui, sans-serif" font-size="10">{"".join(parts)}</svg>'
    )


class _Frame:
    """Where steps and values lie in the drawing."""

    def __init__(self, across: Scale, up: Scale, left: float, top: float) -> None:
        self.across, self.up, self.left, self.top = across, up, left, top
        self.bottom, self.right = top + PLOT_HEIGHT, WIDTH - RIGHT
        self.middle = (left + self.right) / 2

    def x(self, step: float) -> float:
        return self.left + self.across.share(step) * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.bottom - self.up.share(value) * PLOT_HEIGHT

    def axes(self) -> Iterator[str]:
        """Yield the grid, the axes, and the numbers at them."""
        columns = {self.x(step): text for step, text in self.across.ticks.items()}
        rows = {self.y(value): text for value, text in self.up.ticks.items()}
        left, right, top, bottom = self.left, self.right, self.top, self.bottom
        grid = [f"M{x:.1f} {top:.1f}V{bottom:.1f}" for x in columns]
        grid += [f"M{left:.1f} {y:.1f}H{right:.1f}" for y in rows]
        axes = [f"M{left:.1f} {top:.1f}V{bottom:.1f}H{right:.1f}"]
        axes += [f"M{x:.1f} {bottom:.1f}v3.5" for x in columns]
        axes += [f"M{left:.1f} {y:.1f}h-3.5" for y in rows]
        yield f'<path d="{"".join(grid)}" {INK} stroke-width=".6" opacity=".33"/>'
        yield f'<path d="{"".join(axes)}" {INK} stroke-width=".8"/>'
        numbers = [_text(text, x, bottom + 14, True) for x, text in columns.items()]
        numbers += [
            f'<text x="{left - 6:.1f}" y="{y + 3:.1f}" text-anchor="end">{text}</text>'
            for y, text in rows.items()
        ]
        yield f'<g fill="currentColor" font-size="9">{"".join(numbers)}</g>'

    def curve(
        self, points: Series, colour: str, width: float, *, is_marked: bool
    ) -> str:
        """Return a line with a gap where there is no finite value; its points too."""
        path, marks, is_begun = list[str](), list[str](), False
        for step, value in zip(*points, strict=True):
            if not math.isfinite(value):
                is_begun = False
                continue
            x, y = self.x(step), self.y(value)
            path.append(f"{'L' if is_begun else 'M'}{x:.1f} {y:.1f}")
            marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>')
            is_begun = True
        line = (
            f'<path d="{"".join(path)}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}" stroke-linejoin="round"/>'
        )
        return line + (f'<g fill="{colour}">{"".join(marks)}</g>' if is_marked else "")


def _upwards(values: Sequence[float], *, is_log: bool) -> Scale:
    low, high = min(values, default=0), max(values, default=1)
    if is_log:
        return logarithmic(low, high)
    if is_constant(low, high):
        return around_constant(high)
    return linear(low, high)


def _key_places(
    title: str, names: Sequence[str], left: float
) -> Iterator[tuple[float, int]]:
    """Yield where each name stands: from the right beside the title, else below it."""
    widths = [LETTER * len(name) + 28 for name in names]
    x, row = WIDTH - RIGHT - sum(widths), 0
    if x < left + LETTER * len(title) + 12:
        x, row = left, 1
    for width in widths:
        if x + width > WIDTH and x > left:
            x, row = left, row + 1
        yield x, row
        x += width


def _key(name: str, x: float, y: float, colour: str, width: float) -> str:
    line = f'stroke="{colour}" stroke-width="{width}"'
    place = f'x="{x + 18:.1f}" y="{y:.1f}"'
    return (
        f'<path d="M{x:.1f} {y - 3.5:.1f}h14" {line}/>'
        f'<text {place} fill="currentColor" font-size="9">{escape(name)}</text>'
    )


def _text(
    text: str, x: float, y: float, is_centred: bool, room: float | None = None
) -> str:
    """Return a text; squeezed into `room` where it is longer."""
    anchor = ' text-anchor="middle"' if is_centred else ""
    length = f' textLength="{room:.0f}" lengthAdjust="spacingAndGlyphs"' if room else ""
    place = f'x="{x:.1f}" y="{y:.1f}"{anchor}{length}'
    return f'<text {place} fill="currentColor">{escape(text)}</text>'
