"""Pictures and idx files, read as grey: 0 is black and 255 white, as in MNIST."""

import io
import warnings

import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from nnlab.errors import UserError
from nnlab.idx import read_idx

MOST_PIXELS = 50_000_000  # of a picture: a camera's


def read_picture(content: bytes, *, name: str) -> Tensor:
    """Return a picture's grey values, uint8 (height, width), turned as it is shown.

    What is transparent counts as black.

    Raises:
        UserError: where it is no picture, cut off, or too large.
    """
    try:
        with warnings.catch_warnings():  # of a bomb: its size is refused below
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture: Image.Image = Image.open(io.BytesIO(content))
        if picture.width * picture.height > MOST_PIXELS:
            raise UserError(
                f"input={name} has {picture.width}x{picture.height} pixels; "
                "give a smaller picture"
            )
        picture.load()
    except UnidentifiedImageError:
        raise UserError(f"input={name} is not a picture; give a PNG or JPEG") from None
    except Image.DecompressionBombError:
        raise UserError(f"input={name} is too large; give a smaller picture") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise UserError(f"input={name} is a broken picture: {error}") from error
    grey = _grey(ImageOps.exif_transpose(picture))
    flat = torch.frombuffer(bytearray(grey.tobytes()), dtype=torch.uint8)
    return flat.view(grey.height, grey.width)


def read_idx_images(content: bytes, *, name: str) -> list[Tensor]:
    """Return the images of an idx file. Raises `UserError` where it holds none."""
    if content[3:4] == b"\x01":
        raise UserError(
            f"input={name} holds labels; give the idx file of images beside it"
        )
    return list(read_idx(content, name=f"input={name}", dimensions=3))


def _grey(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits, which `convert` would cut off at 255
        return picture.point(lambda level: level / 256).convert("L")  # pyright: ignore
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "black")
        picture = Image.alpha_composite(ground, picture)
    return picture.convert("L")
