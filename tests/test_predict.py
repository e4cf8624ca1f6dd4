"""The verb, on checkpoints of every kind of model, asked by file and by text."""

import csv
import json
import math

import numpy as np
import pytest
import torch
from lightning import Trainer
from PIL import Image

from nnlab.build import build_model, facts_of, fill_facts, make
from nnlab.compose import Composer, plain
from nnlab.model.lstm_adder import LSTMAdder
from nnlab.tokenizer.char import Char

DIGITS = ("data=digits", "data.mean=0", "data.standard_deviation=1")


def digit(seed=0):
    grey = np.random.default_rng(seed).integers(0, 256, (28, 28), dtype=np.uint8)
    grey[[0, -1]] = grey[:, [0, -1]] = 0
    return grey


@pytest.fixture
def pictures(tmp_path):
    for number in range(3):
        Image.fromarray(digit(number)).save(tmp_path / f"{number}.png")


@pytest.fixture
def write_run(tmp_path):
    """Write what a finished run leaves of itself, as far as `predict` reads it."""

    def write(*words, tokenizer=None):
        composer = Composer()
        config = plain(composer.compose(list(words)))
        if tokenizer is None:
            data = make(config["data"], "data", composer.plugins)
            config["model"] = fill_facts(config, facts_of(data))
        torch.manual_seed(1)
        model = build_model(config, composer.plugins).eval().requires_grad_(False)
        content = {"state_dict": model.state_dict(), "nnlab": {"config": config}}
        if tokenizer is not None:
            content["nnlab"]["tokenizer"] = tokenizer.state()
        (tmp_path / "run/checkpoints").mkdir(parents=True)
        (tmp_path / "run/config.yaml").write_text("model: {}")
        torch.save(content, tmp_path / "run/checkpoints/best.ckpt")
        return model

    return write


@pytest.fixture
def ask(nnlab, tmp_path):
    """Ask the run; return what was said, and the answers as they are written."""

    def asked(words, *more):
        said = nnlab("predict", "run=run", f"input={words}", *more)
        assert said.status == 0, said.err
        there = nnlab("predict", "run=run", f"input={words}", "to=a.jsonl", *more)
        assert there.status == 0, there.err
        lines = (tmp_path / "a.jsonl").read_text().splitlines()
        (tmp_path / "a.jsonl").unlink()
        return said.out, [json.loads(line) for line in lines]

    return asked


def test_a_digit_is_scaled_as_the_data_scale_it(write_run, ask, pictures):
    model = write_run("model=lenet5", "data=digits")
    out, [answer] = ask("0.png")
    image = (digit() / 255 - 0.3052) / 0.3245  # conf/data/digits.yaml
    scores = model(torch.tensor(image, dtype=torch.float32)[None, None])[0]
    expected = torch.softmax(scores, dim=0).tolist()
    assert list(answer["probabilities"].values()) == pytest.approx(expected, abs=1e-5)
    assert answer["label"] == str(int(scores.argmax()))
    assert out.startswith(f"{answer['label']} {100 * max(expected):.2f} %, then ")


def test_a_file_of_rows_says_what_its_pictures_say(write_run, ask, pictures, tmp_path):
    write_run("model=lenet5", "data=digits")
    _, by_picture = ask("[0.png,1.png,2.png]")
    rows = [["label", *range(784)], *([3, *digit(n).ravel()] for n in range(3))]
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    out, by_row = ask("rows.csv")
    assert [a["probabilities"] for a in by_row] == [
        a["probabilities"] for a in by_picture
    ]
    rights = sum(a["label"] == "3" for a in by_row)
    assert f"{rights} of 3 are right" in out


def test_a_checkpoint_alone_answers_as_its_folder(write_run, nnlab, pictures, tmp_path):
    write_run("model=mlp", "data=digits")
    by_folder = nnlab("predict", "run=run", "input=0.png")
    (tmp_path / "run/checkpoints/best.ckpt").rename(tmp_path / "alone.ckpt")
    assert nnlab("predict", "run=alone.ckpt", "input=0.png") == by_folder
    assert by_folder.status == 0


def test_a_row_is_typed_or_read(write_run, ask, tmp_path):
    model = write_run("model=mlp")
    out, [answer] = ask("0,1")
    share = model(torch.tensor([[0.0, 1.0]])).softmax(dim=1)[0, 1]
    assert answer["probabilities"]["1"] == pytest.approx(float(share), abs=1e-6)
    assert out.count("\n") == 1
    (tmp_path / "rows.csv").write_text("a,b\n0,1\n1,1\n")
    assert len(ask("rows.csv")[1]) == 2


def test_classes_that_were_kept_have_their_own_names(write_run, ask, pictures):
    write_run("model=mlp", "data=digits", "data.classes=[5,9]")
    assert list(ask("0.png")[1][0]["probabilities"]) == ["5", "9"]


def add_exactly(self, addends):
    """Do what the network is to learn, in the order in which it is given."""
    places = range(addends.shape[1])
    sums, carry = torch.zeros(addends.shape[:2]), torch.zeros(len(addends))
    for place in places if self.least_significant_first else reversed(places):
        total = addends[:, place].sum(dim=1) + carry
        sums[:, place], carry = total % 2, (total >= 2).float()
    return sums - 0.5


@pytest.mark.parametrize("first", ["least", "most"])
def test_numbers_of_any_length_are_added(write_run, ask, monkeypatch, tmp_path, first):
    write_run("model=lstm_adder", f"data.first_bit={first}")
    monkeypatch.setattr(LSTMAdder, "forward", add_exactly)
    assert ask("9 + 60")[0] == "9 + 60 = 69\n"
    a, b = 3**100, 7**80
    (tmp_path / "sums.txt").write_text(f"0 + 0\n{a} + {b}\n\n1,2\n")
    _, answers = ask("sums.txt")
    assert [answer["sum"] for answer in answers] == [0, a + b, 3]
    assert all(answer["right"] for answer in answers)


def test_a_wrong_sum_is_said_to_be_wrong(write_run, ask, monkeypatch):
    write_run("model=lstm_adder")
    monkeypatch.setattr(
        LSTMAdder, "forward", lambda self, addends: torch.ones(addends.shape[:2])
    )
    out, [answer] = ask("9 + 60")
    assert out == "9 + 60 = 127, not 69\n"
    assert answer["right"] is False


def test_images_are_embedded_and_two_are_compared(write_run, ask, pictures):
    model = write_run("model=siamese", "data=digits_pairs")
    images = [torch.tensor((digit(n) / 255 - 0.3052) / 0.3245).float() for n in (0, 1)]
    first, second = model(torch.stack(images)[:, None])
    _, [one] = ask("0.png")
    assert one["embedding"] == pytest.approx(first.tolist(), abs=1e-4)
    assert one["nearest"] in list("0123456789")
    _, [two] = ask("0.png,1.png")
    assert two["distance"] == pytest.approx(float((first - second).norm()), abs=1e-4)
    out, [same] = ask("0.png,0.png")
    assert same["same"]
    assert "the same class" in out
    assert len(ask("0.png,1.png,2.png")[1]) == 3


def test_without_its_training_images_it_embeds_all_the_same(
    write_run, ask, pictures, monkeypatch
):
    from nnlab.data.digits import Digits
    from nnlab.errors import UserError

    write_run("model=siamese", "data=digits_pairs")

    def lost(self):
        raise UserError("the images are gone")

    monkeypatch.setattr(Digits, "load", lost)
    assert ask("0.png")[1][0]["nearest"] is None


def test_an_image_is_rebuilt_beside_itself(write_run, ask, nnlab, pictures, tmp_path):
    model = write_run("model=autoencoder", "model.hidden_sizes=[8]", *DIGITS)
    image = torch.tensor(digit() / 255).float()
    _, [answer] = ask("0.png")
    error = (model(image[None, None])[0, 0] - image).square().sum()
    assert answer["squared_error"] == pytest.approx(float(error), rel=1e-4)
    assert len(answer["code"]) == 30
    assert nnlab("predict", "run=run", "input=*.png", "to=both.png").status == 0
    with Image.open(tmp_path / "both.png") as drawn:
        assert drawn.width / drawn.height == pytest.approx(3 / 2, rel=0.05)


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("non_saturating", " % real)"),
        ("hinge", "the border is 0)"),
        ("least_squares", "the border is 0.5)"),
        ("wasserstein_gp", "the more real"),
    ],
)
def test_the_discriminator_judges_a_picture(write_run, ask, pictures, loss, said):
    model = write_run(
        "model=gan", *DIGITS, f"model.loss={loss}", "model.feature_maps=2"
    )
    out, [answer] = ask("0.png")
    score = float(model(torch.tensor(digit() / 255).float()[None, None]))
    assert answer["score"] == pytest.approx(score, abs=1e-5)
    assert said in out
    if loss == "non_saturating":
        assert answer["probability"] == pytest.approx(1 / (1 + math.exp(-score)))


@pytest.fixture
def letters():
    tokenizer = Char(special=())
    tokenizer.train(["abcdefg "])
    return tokenizer


def gpt(write_run, letters, *words):
    sizes = ("layers=1", "heads=1", "embedding_size=8", "context_size=4")
    return write_run(
        "model=gpt",
        "data=text",
        "data.path=gone.txt",
        f"model.vocabulary_size={letters.vocabulary_size}",
        *(f"model.{size}" for size in sizes),
        *words,
        tokenizer=letters,
    )


def test_a_text_is_foreseen_token_by_token_and_goes_on(write_run, ask, letters):
    model = gpt(write_run, letters)
    text = "abc def gab c"  # three windows of four, and a rest
    ids = torch.tensor(letters.encode(text))
    nats = [
        -float(
            model(ids[None, i - i % 4 : i + 1])[0, -1].log_softmax(dim=0)[ids[i + 1]]
        )
        for i in range(len(ids) - 1)
    ]
    _, [answer] = ask(text)
    assert answer["nats_per_token"] == pytest.approx(np.mean(nats), abs=1e-4)
    assert answer["perplexity"] == pytest.approx(math.exp(np.mean(nats)), rel=1e-3)
    share = model(ids[None, -4:])[0, -1].softmax(dim=0)
    best = letters.decode([int(share.argmax())])
    assert next(iter(answer["next"])) == best
    assert answer["next"][best] == pytest.approx(float(share.max()), abs=1e-5)


def test_one_token_has_a_next_one_and_no_perplexity(write_run, ask, letters):
    gpt(write_run, letters)
    out, [answer] = ask("a")
    assert out.startswith("next ")
    assert "perplexity" not in answer


def test_a_sequence_is_a_file(write_run, ask, tmp_path):
    write_run("model=recurrent", "data.steps=12")
    numbers = np.linspace(-1, 1, 12)
    marks = [-1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, -1]
    rows = "".join(f"{n},{m}\n" for n, m in zip(numbers, marks, strict=True))
    (tmp_path / "one.csv").write_text(rows)
    _, [answer] = ask("one.csv")
    expected = 0.5 + (numbers[2] + numbers[4]) / 4
    assert answer["truth"] == pytest.approx(expected, abs=1e-6)


def test_lightning_predicts_the_test_set(build):
    data = build("data=xor", part="data")
    model = build("model=perceptron", "model.input_size=2", "model.classes=2")
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False,
        enable_model_summary=False, enable_checkpointing=False,
    )  # fmt: skip
    [answers] = trainer.predict(model, datamodule=data)
    assert [answer.values["truth"] for answer in answers] == ["0", "1", "1", "0"]


MISTAKES = {
    "no run": (["input=0.png"], "predict needs a run"),
    "no such run": (["run=nowhere", "input=0.png"], "there is no folder nowhere"),
    "no input": (["run=run"], "predict needs an input"),
    "another size": (["run=run", "input=large.png"], "large.png is 30x28 pixels"),
    "text": (["run=run", "input=hello"], "this run reads pictures of 28x28"),
    "not a grey": (["run=run", "input=deep.csv"], "from 0, black, to 255"),
    "class beyond": (["run=run", "input=class.csv"], "line 2: there is no class 10"),
    "unknown option": (["run=run", "input=0.png", "top=3"], "did you mean to?"),
    "unknown form": (["run=run", "input=0.png", "to=a.html"], "must end in .csv"),
    "there already": (["run=run", "input=0.png", "to=0.png"], "is there already"),
    "no picture": (["run=run", "input=0.png", "to=a.png"], "hold no picture"),
    "no truth": (["run=run", "input=0.png", "invert=maybe"], "invert=maybe must be"),
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_gets_one_sentence(write_run, nnlab, pictures, tmp_path, words, said):
    write_run("model=mlp", "data=digits")
    Image.fromarray(np.zeros((30, 28), dtype=np.uint8)).save(tmp_path / "large.png")
    (tmp_path / "deep.csv").write_text(",".join(["256"] * 784))
    header = ",".join(["label", *map(str, range(784))])
    (tmp_path / "class.csv").write_text(f"{header}\n10{',0' * 784}\n")
    before = sorted(tmp_path.iterdir())
    answer = nnlab("predict", *words)
    assert answer.status == 2, answer.err
    assert said in answer.err
    assert answer.err.startswith("nnlab: ")
    assert answer.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_run_that_never_saved_is_named(nnlab, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.yaml").write_text("model: {}")
    answer = nnlab("predict", "run=run", "input=0,1")
    assert answer.status == 2
    assert "has no checkpoint yet" in answer.err


def test_what_the_tokenizer_never_saw_is_named(write_run, nnlab, letters):
    gpt(write_run, letters)
    answer = nnlab("predict", "run=run", "input=cab!")
    assert answer.status == 2
    assert "'!'" in answer.err


def test_help_explains_each_option_in_eighty_columns(nnlab):
    answer = nnlab("predict", "--help")
    assert answer.status == 0
    assert max(map(len, answer.out.splitlines())) <= 80
    assert "\ninput=INPUT " in answer.out
