"""A run as a file that torch loads by itself: of every model, beside the model."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from reliability.everything import MODELS

from nnlab import load
from nnlab.model.mlp import MLP

QUIET = ("pictures=0", "logger=[]")
SMALL = ("model=mlp", "model.hidden_sizes=[8]", "data=digits", "data.repeats=1")


@pytest.fixture
def train(nnlab):
    def run(*words):
        answer = nnlab(*words, *QUIET, "folder=run")
        assert answer.status == 0, answer.err
        return load("run")

    return run


@pytest.mark.parametrize("name", MODELS)
def test_the_program_of_every_model_says_what_the_model_says(train, nnlab, name):
    run = train(*MODELS[name])
    answer = nnlab("export", "run=run", "to=model.pt2")
    assert answer.status == 0, answer.err
    program = torch.export.load("model.pt2").module()
    for split in ("val", "test"):  # of other sizes than the program has seen
        raw = next(iter(getattr(run.data, f"{split}_dataloader")()))[0]
        x = next(run.batches(split))[0]
        is_image = x.dim() == 4
        given = raw if is_image else x
        for some in (slice(None), slice(1), slice(3)):
            with torch.no_grad():
                torch.testing.assert_close(program(given[some]), run.model(x[some]))
    assert ("unscaled" in answer.out) == is_image


@pytest.mark.parametrize("words", [(), ("data.shuffles_pixels=true",)])
def test_a_program_needs_no_nnlab_and_takes_grey_values(train, nnlab, tmp_path, words):
    train(*SMALL, "trainer.max_epochs=2", *words)
    assert nnlab("export", "run=run", "to=model.pt2").status == 0
    run = load("run")
    run.data.setup()
    image, digit = run.data.splits.test
    np.save("image.npy", image.numpy())
    code = (
        "import sys, numpy, torch\n"
        "program = torch.export.load('model.pt2').module()\n"
        "scores = program(torch.from_numpy(numpy.load('image.npy')))\n"
        "numpy.save('digit.npy', scores.argmax(1).numpy())\n"
        "assert not {'nnlab', 'lightning'} & {*sys.modules}\n"
    )
    subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=True)
    right = np.load("digit.npy") == digit.numpy()
    assert right.mean() == pytest.approx(run.metrics["test/accuracy"], abs=1e-6)


def test_one_test_example_is_enough(train, nnlab):
    train(*SMALL, "trainer.max_epochs=1", "data.evaluation_batch_size=1")
    assert nnlab("export", "run=run", "to=model.pt2").status == 0
    program = torch.export.load("model.pt2").module()
    assert program(torch.zeros(5, 28, 28, dtype=torch.uint8)).shape == (5, 10)


def depends(self, x):
    return self.output(self.hidden(x.flatten(1))) if x.sum() > 0 else x


def draws(self, x):
    return torch.rand(x.shape[0], 10)


def takes_two(self, x, y):
    return x


def gives_two(self, x):
    return x, x


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        (depends, "model=mlp cannot be written as a program: "),
        (draws, "model=mlp as a program says something else than the model"),
        (takes_two, "model=mlp does not make one tensor of one tensor"),
        (gives_two, "model=mlp does not make one tensor of one tensor"),
    ],
)
def test_what_is_no_program_is_told_so_and_nothing_is_written(
    train, nnlab, tmp_path, monkeypatch, forward, said
):
    train(*SMALL, "trainer.max_epochs=1")
    monkeypatch.setattr(MLP, "forward", forward)
    answer = nnlab("export", "run=run", "to=model.pt2")
    assert answer.status == 2, answer.err
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_file_is_new_and_in_a_folder_that_is_there(train, nnlab):
    train("trainer.max_epochs=1")
    assert nnlab("export", "run=run", "to=model.pt2").status == 0
    again = nnlab("export", "run=run", "to=model.pt2")
    assert (again.status, "is there already" in again.err) == (2, True)
    astray = nnlab("export", "run=run", "to=no/model.pt2")
    assert (astray.status, "there is no folder no" in astray.err) == (2, True)
