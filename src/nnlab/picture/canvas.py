"""The look all pictures share: no background, grey text, colours that stay apart."""

from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

DPI = 110  # of the files
GREY = "#7a7f87"  # contrast at least 4 on white and on near-black
FAINT = "#7a7f8755"
# After Okabe & Ito (2008), shifted to a lightness that holds on light and dark pages
PALETTE = ("#2f86c6", "#d9641e", "#1b9e77", "#b868a4", "#9a8b2d", "#6c7fd8")
# Ten for classes: Petroff (2021), "Accessible Color Sequences", arXiv:2107.02270
TEN = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)
BLUE, ORANGE = "#0d4d80", "#9a3a05"  # dark enough for white text and edges

DIVERGING = LinearSegmentedColormap.from_list(
    "blue_to_orange", ["#4a93ca", "#8dbfe3", "#eeece8", "#f2b58c", "#e0803f"]
)
SHARES = LinearSegmentedColormap.from_list("shares", ["#eeece8", "#8dbfe3", "#0d4d80"])
# Ends at equal lightness: white text is legible all the way
ERRORS = LinearSegmentedColormap.from_list("errors", ["#8d7365", "#c4440c"])
RIGHT = LinearSegmentedColormap.from_list("right", ["#727a84", "#1a6cab"])


def canvas(
    width: float, height: float, layout: Literal["constrained"] | None = "constrained"
) -> Figure:
    """Return an empty figure of that many inches, without a background.

    Args:
        width, height: of all of it.
        layout: has matplotlib find each part's place, which takes longer than to draw
            it; with None the picture says where.
    """
    return Figure(figsize=(width, height), dpi=160, layout=layout, facecolor="none")


def width_of(title: str) -> float:
    """Return about how many inches a title of 10 points needs, lest it be cut."""
    return 0.2 + 0.075 * max(map(len, title.splitlines()), default=0)


def quieten(axes: Axes) -> None:
    """Draw the frame and its numbers in grey, and no more of it than is read."""
    quieten_frame(axes)
    axes.tick_params(colors=GREY, labelsize=9)
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set_color(GREY)
        label.set_fontsize(10)
    for axis in (axes.xaxis, axes.yaxis):
        numbers = axis.get_major_formatter()
        if isinstance(numbers, ScalarFormatter):
            numbers.set_useOffset(False)  # "1e-6+1e-3" above an axis is a riddle


def quieten_frame(axes: Axes) -> None:
    """Draw two sides of the frame, in grey."""
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)


def name_of(label: int, names: Sequence[str]) -> str:
    """Return what a label stands for; the label where nothing more is known."""
    return names[label] if label < len(names) else str(label)


def bare(axes: Axes) -> None:
    """Take away the frame: what is drawn speaks for itself."""
    axes.set_axis_off()
    axes.title.set_color(GREY)
