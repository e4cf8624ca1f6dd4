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
