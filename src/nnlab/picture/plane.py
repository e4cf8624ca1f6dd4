"""A field over a plane, drawn again and again: all but the field is drawn once.

What matplotlib calls blitting. Every part has its place, in inches, and there are no
axes, which take twice the time of all they hold.
"""

from typing import Any

import numpy as np
from contourpy import contour_generator
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.image import BboxImage
from matplotlib.lines import Line2D
from matplotlib.transforms import Affine2D, Bbox, TransformedBbox
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from nnlab.picture.canvas import BLUE, DIVERGING, DPI, GREY, ORANGE, canvas
from nnlab.picture.scale import Scale

LINE = "#26292e"  # on the field, which is light along the boundary on every page
WIDTH, HEIGHT = 5.2, 4.5
LEFT, RIGHT, BOTTOM, TOP = 0.66, 4.34, 0.46, 3.94  # of the frame
ACROSS, UP = 1 / (RIGHT - LEFT), 1 / (TOP - BOTTOM)  # an inch, as shares of the frame
TITLE = "what is answered at each place; the line: one half"
LEVELS = 20
COLOURS = DIVERGING((np.arange(LEVELS) + 0.5) / LEVELS, bytes=True)
CLASSES = ((0, "o", BLUE), (1, "s", ORANGE))  # label, marker, colour

Point = tuple[float, float, int]  # x1, x2, its class
Place = tuple[float, float, float, float]  # left, bottom, width, height; shares


class Plane:
    """The picture of a field over some points, for field after field.

    Args:
        x1, x2: the plane's scales.
        points: on it.
    """

    def __init__(self, x1: Scale, x2: Scale, points: tuple[Point, ...]) -> None:
        self.figure = canvas(WIDTH, HEIGHT, layout=None)
        self.figure.set_dpi(DPI)
        frame = _part(LEFT, BOTTOM, RIGHT, TOP)
        to_figure = self.figure.transFigure
        self.within = Affine2D().scale(*frame[2:]).translate(*frame[:2]) + to_figure
        self._number(x1, x2)
        self._explain_colours()
        self._explain_marks()
        self.line = self._lines([], LINE, 2)
        size = 11.4 if len(points) <= 16 else 5.8
        marks = [
            self._marks(
                [(x1.share(a), x2.share(b)) for a, b, label in points if label == each],
                marker=marker,
                color=colour,
                markersize=size,
                markeredgewidth=1.2,
            )
            for each, marker, colour in CLASSES
        ]
        sides = self._lines([[(0, 1), (0, 0), (1, 0)]], GREY, 0.8)
        # From below to above; the frame lies on the field's edge.
        self.upon: list[Artist] = [self.line, *marks, sides]
        for artist in self.upon:
            artist.set_animated(True)
        self.canvas = FigureCanvasAgg(self.figure)
        self.canvas.draw()  # all but these
        self.fixed = self.canvas.copy_from_bbox(self.figure.bbox)

    def drawn(self, field: Float[Tensor, "grid grid"]) -> Image.Image:
        """Return the picture with this field: values from 0 to 1, the lowest first."""
        lines: Any = []
        if field.min() < 0.5 < field.max():  # else it would follow what only touches it
            lines = contour_generator(z=field.numpy(), name="serial").lines(0.5)
        self.line.set_segments([line / (len(field) - 1) for line in lines])
        self.canvas.restore_region(self.fixed)
        self._colour(field)
        for artist in self.upon:
            self.figure.draw_artist(artist)
        return Image.fromarray(np.array(self.canvas.buffer_rgba()))

    def _colour(self, field: Float[Tensor, "grid grid"]) -> None:
        """Fill the frame, pixel by pixel: an artist would look for the pixels anew."""
        left, right, bottom, top = (round(x * DPI) for x in (LEFT, RIGHT, BOTTOM, TOP))
        pixels = F.interpolate(
            field[None, None],
            (top - bottom, right - left),
            mode="bilinear",
            align_corners=True,
        )[0, 0]
        level = (pixels * LEVELS).int().clamp(0, LEVELS - 1)
        image = COLOURS[level.numpy()]
        image[pixels.isnan().numpy()] = 0  # transparent: there is no probability
        renderer = self.canvas.get_renderer()
        renderer.draw_image(renderer.new_gc(), left, bottom, image)

    def _number(self, x1: Scale, x2: Scale) -> None:
        """Write the numbers along the frame, and what they are of."""
        marks: list[list[tuple[float, float]]] = []
        for value, text in x1.ticks.items():
            x = x1.share(value)
            marks.append([(x, 0), (x, -0.05 * UP)])
            self._write(x, -0.1 * UP, text, va="top")
        for value, text in x2.ticks.items():
            y = x2.share(value)
            marks.append([(0, y), (-0.05 * ACROSS, y)])
            self._write(-0.1 * ACROSS, y, text, ha="right", va="center_baseline")
        self._write(0.5, -0.35 * UP, "x1", fontsize=10)
        self._write(-0.5 * ACROSS, 0.5, "x2", fontsize=10, rotation=90)
        self._lines(marks, GREY, 0.8)

    def _explain_colours(self) -> None:
        """Draw the colours as a strip beside the frame, from 0 to 1."""
        strip = self._coloured(_part(RIGHT + 0.19, BOTTOM, RIGHT + 0.31, TOP))
        strip.set_data(COLOURS[:, None])
        right = 1 + 0.31 * ACROSS
        for value in (0.0, 0.5, 1.0):
            self._lines([[(right, value), (right + 0.04 * ACROSS, value)]], GREY, 0.8)
            self._write(right + 0.07 * ACROSS, value, str(value), ha="left")
        self._write(right + 0.44 * ACROSS, 0.5, "P(class 1)", fontsize=10, rotation=90)

    def _explain_marks(self) -> None:
        """Say above the frame what is seen, and which mark is which class."""
        self._write(0.5, 1 + 0.44 * UP, TITLE, fontsize=10)
        y = 1 + 0.2 * UP
        for label, marker, colour in CLASSES:
            x = (1.1 + label * 1.03) * ACROSS
            self._marks([(x, y)], marker=marker, color=colour, markersize=9)
            self._write(x + 0.22 * ACROSS, y, f"class {label}", ha="left")

    def _coloured(self, place: Place) -> BboxImage:
        """Add an image, whose pixels come later."""
        where = TransformedBbox(Bbox.from_bounds(*place), self.figure.transFigure)
        image = BboxImage(where, origin="lower", interpolation="nearest")
        self.figure.add_artist(image)
        return image

    def _lines(self, lines: Any, colour: str, width: float) -> LineCollection:
        added = LineCollection(
            lines, colors=colour, linewidths=width, transform=self.within
        )
        self.figure.add_artist(added)
        return added

    def _marks(self, places: list[tuple[float, float]], **look: Any) -> Line2D:
        x, y = zip(*places, strict=True) if places else ((), ())
        look = {"linestyle": "none", "markeredgecolor": "white", **look}
        added = Line2D(x, y, transform=self.within, **look)
        self.figure.add_artist(added)
        return added

    def _write(self, x: float, y: float, text: str, **look: Any) -> None:
        look = {"ha": "center", "va": "center", "fontsize": 9, "color": GREY, **look}
        self.figure.text(x, y, text, transform=self.within, **look)


def _part(left: float, bottom: float, right: float, top: float) -> Place:
    """Return a place in inches as shares of the figure."""
    width, height = right - left, top - bottom
    return left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT
