import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from nnlab.errors import UserError
from nnlab.given.find import find_given
from nnlab.given.given import Pictures, Texts


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def grey(seed=0, size=(28, 28)):
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


def idx(images):
    return struct.pack(">BBBB3I", 0, 0, 8, 3, *images.shape) + images.tobytes()


def test_png_idx_and_packed_idx_hold_the_same_pixels(place):
    images = np.stack([grey(0), grey(1)])
    (place / "digits.idx").write_bytes(idx(images))
    (place / "digits.idx.gz").write_bytes(gzip.compress(idx(images)))
    for number, image in enumerate(images):
        Image.fromarray(image).save(place / f"{number}.png")
    for words in ("digits.idx", "digits.idx.gz", "0.png,1.png", "[0.png, 1.png]"):
        given = find_given(words)
        assert isinstance(given, Pictures)
        assert np.array_equal(given.of_size(28, 28).numpy(), images), words


def test_a_pattern_and_a_folder_name_files_in_their_order(place):
    (place / "pictures").mkdir()
    for name in ("b", "a", "c"):
        Image.fromarray(grey()).save(place / f"pictures/{name}.png")
    (place / "pictures/.hidden").write_text("x")
    for words in ("pictures", "pictures/*.png"):
        assert [name[-5:] for name in find_given(words).names] == [
            "a.png",
            "b.png",
            "c.png",
        ]


def test_what_names_no_file_is_text(place):
    for words in ("9 + 60", "To be, or not to be", "0,1", "x" * 5000):
        given = find_given(words)
        assert isinstance(given, Texts)
        assert (given.texts, given.is_typed) == ([words], True)


def test_a_file_with_a_comma_or_brackets_in_its_name_is_one_file(place):
    for name in ("a,b.txt", "a [1].txt"):
        (place / name).write_text("text")
        assert find_given(name).texts == ["text"]


def test_inverting_twice_is_nothing_and_colours_become_grey(place):
    colours = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    Image.fromarray(colours).save(place / "colours.png")
    given = find_given("colours.png").images[0].numpy()
    luma = colours @ np.array([299, 587, 114]) / 1000  # ITU-R 601-2
    assert np.abs(given - luma).max() <= 1
    assert np.array_equal(
        find_given("colours.png", inverts=True).images[0], 255 - given
    )


def test_sixteen_bits_and_transparency_become_grey(place):
    deep = (grey().astype(np.uint16)) * 256
    Image.fromarray(deep).save(place / "deep.png")
    assert np.array_equal(find_given("deep.png").images[0], grey())
    ink = np.zeros((4, 4, 4), dtype=np.uint8)
    ink[0, 0] = 255
    Image.fromarray(ink, "RGBA").save(place / "ink.png")
    seen = find_given("ink.png").images[0]
    assert (int(seen[0, 0]), int(seen.sum())) == (255, 255), "clear is black"


def test_another_size_is_refused_or_fitted_without_distortion(place):
    wide = np.zeros((28, 56), dtype=np.uint8)
    wide[:, 14:42] = 255  # a square in the middle
    Image.fromarray(wide).save(place / "wide.png")
    with pytest.raises(
        UserError, match=r"wide.png is 28x56 pixels.*28x28.*resize=true"
    ):
        find_given("wide.png").of_size(28, 28)
    [fitted] = find_given("wide.png", resizes=True).of_size(28, 28).numpy()
    rows, columns = np.nonzero(fitted > 128)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (14, 14), "still a square"


def test_dark_on_light_is_noticed(place):
    image = np.full((28, 28), 255, dtype=np.uint8)
    image[10:18, 10:18] = 0
    Image.fromarray(image).save(place / "paper.png")
    Image.fromarray(255 - image).save(place / "board.png")
    assert find_given("paper.png,board.png").light_edges() == ["paper.png"]


def _missing(place):
    return "there.png"


def _empty(place):
    (place / "e.csv").write_text("")
    return "e.csv"


def _fake(place):
    (place / "f.png").write_text("not a picture")
    return "f.png"


def _cut(place):
    Image.fromarray(grey()).save(place / "c.png")
    content = (place / "c.png").read_bytes()
    (place / "c.png").write_bytes(content[: len(content) // 2])
    return "c.png"


def _labels(place):
    (place / "l.idx").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, 2) + b"\1\2")
    return "l.idx"


def _short(place):
    (place / "s.idx").write_bytes(idx(grey()[None])[:-1])
    return "s.idx"


def _torn(place):
    (place / "t.gz").write_bytes(gzip.compress(idx(grey()[None]))[:-20])
    return "t.gz"


def _bytes(place):
    (place / "b.txt").write_bytes(b"\xff\xfe\x00\x01")
    return "b.txt"


def _mixed(place):
    Image.fromarray(grey()).save(place / "m.png")
    (place / "m.txt").write_text("text")
    return "m.png,m.txt"


def _nothing(place):
    (place / "folder").mkdir()
    return "folder"


FAULTS = {
    "missing": (_missing, "there is no such file"),
    "empty": (_empty, "e.csv is empty"),
    "not a picture": (_fake, "f.png is not a picture"),
    "cut off": (_cut, "is a broken picture"),
    "labels": (_labels, "holds labels"),
    "short idx": (_short, "is truncated"),
    "torn gzip": (_torn, "cannot be read"),
    "no text": (_bytes, "b.txt is not UTF-8 text"),
    "two kinds": (_mixed, "mixes pictures and text"),
    "empty folder": (_nothing, "without a file"),
    "nothing": (lambda _: "  ", "is empty"),
}


@pytest.mark.parametrize(("make", "said"), FAULTS.values(), ids=FAULTS)
def test_each_fault_of_a_file_is_one_sentence_that_names_it(place, make, said):
    with pytest.raises(UserError) as error:
        find_given(make(place))
    assert said in str(error.value)
    assert "input=" in str(error.value)
    assert "\n" not in str(error.value)


def test_text_is_neither_resized_nor_inverted(place):
    for change in ("resizes", "inverts"):
        with pytest.raises(UserError, match="is for pictures"):
            find_given("9 + 60", **{change: True})
