"""A picture's file."""

from pathlib import Path

from matplotlib.figure import Figure
from PIL.Image import Image

from nnlab.picture.canvas import DPI

COMPRESSION = 1  # half of the time that 6, the usual, takes, for a third more bytes


def write_picture(picture: Figure | Image, file: Path, *, dpi: int = DPI) -> None:
    """Write a PNG; `dpi` is that of a figure, an image has its pixels."""
    if isinstance(picture, Figure):
        options = {"compress_level": COMPRESSION}
        picture.savefig(file, dpi=dpi, format="png", pil_kwargs=options)
    else:
        picture.save(file, format="png", dpi=(DPI, DPI), compress_level=COMPRESSION)
