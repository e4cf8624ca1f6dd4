import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from nnlab.report.png import write_picture


def test_a_file_says_how_large_it_is_meant(tmp_path):
    file = tmp_path / "a.png"
    write_picture(Figure(figsize=(2, 1)), file)
    with Image.open(file) as drawn:
        assert drawn.size == (220, 110)
        assert round(drawn.info["dpi"][0]) == 110
    write_picture(Figure(figsize=(2, 1)), file, dpi=50)
    with Image.open(file) as drawn:
        assert drawn.size == (100, 50)
    write_picture(Image.new("RGBA", (30, 20), "red"), file)
    with Image.open(file) as drawn:
        assert drawn.size == (30, 20)
        assert drawn.getpixel((0, 0)) == (255, 0, 0, 255)
        assert round(drawn.info["dpi"][0]) == 110


@pytest.mark.parametrize("size", [(1, 1), (31, 17), (572, 484)])
def test_pillow_reads_every_pixel_that_was_written(size, tmp_path):
    width, height = size
    drawn = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    file = tmp_path / "a.png"
    write_picture(Image.fromarray(drawn), file)
    with Image.open(file) as image:
        image.verify()  # every part's checksum
    with Image.open(file) as image:
        assert image.mode == "RGBA"
        assert np.array_equal(np.asarray(image), drawn)


def test_an_image_without_transparency_is_written_as_it_is(tmp_path):
    file = tmp_path / "a.png"
    write_picture(Image.new("L", (3, 2), 7), file)
    with Image.open(file) as image:
        assert (image.mode, image.size, image.getpixel((2, 1))) == ("L", (3, 2), 7)
