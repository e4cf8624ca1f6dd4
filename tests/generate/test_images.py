"""A sheet of images, pixel by pixel."""

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from nnlab.generate.images import GAP, SCALE, ImageModel, sheet, write_images


class Counting:
    """Draws image i in the grey i / count."""

    def sample(self, count, seed):
        greys = torch.arange(count) / count
        return greys.view(-1, 1, 1, 1).expand(-1, 1, 4, 5).clone()


def test_five_images_lie_in_rows_of_three_and_the_last_place_is_black():
    image = sheet(Counting().sample(5, 0))
    high, wide = 4 * SCALE + 2 * GAP, 5 * SCALE + 2 * GAP
    assert image.shape == (2 * high, 3 * wide)
    places = [(row, column) for row in range(2) for column in range(3)]
    centres = [
        image[row * high + high // 2, column * wide + wide // 2].item()
        for row, column in places
    ]
    assert centres == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 0])
    assert image[0].abs().sum() == 0, "a gap above"


def test_the_png_holds_the_greys_that_were_drawn(tmp_path):
    model = Counting()
    assert isinstance(model, ImageModel)
    write_images(model, tmp_path / "sheet.png", samples=4, seed=0)
    image = imread(tmp_path / "sheet.png")[:, :, 0]
    np.testing.assert_allclose(np.unique(image), [0, 0.25, 0.5, 0.75], atol=1 / 255)
    assert [file.name for file in tmp_path.iterdir()] == ["sheet.png"]


def test_a_vae_draws_and_a_classifier_is_refused(nnlab, tmp_path):
    short = ("trainer=debug", "data=digits", "pictures=0", "logger=[]")
    vae = nnlab("model=autoencoder", "model.variant=variational", *short, "folder=vae")
    assert vae.status == 0, vae.err
    answer = nnlab("generate", "run=vae", "samples=9", "to=digits.png")
    assert (answer.status, answer.out) == (0, "9 images in digits.png\n"), answer.err
    assert imread(tmp_path / "digits.png").shape[:2] == (3 * 88, 3 * 88)
    for words, said in {
        "to=digits.gif": "must name the PNG",
        "samples=0 to=a.png": "samples=0",
        "prompt=x to=a.png": "prompt is for text",
        "temperature=1 to=a.png": "temperature is for text",
        "to=digits.png": "digits.png",
    }.items():
        answer = nnlab("generate", "run=vae", *words.split())
        assert answer.status == 2, words
        assert said in answer.err
        assert answer.err.count("\n") == 1
