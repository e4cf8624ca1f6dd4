"""The verb, on a checkpoint of a GPT that has learned nothing yet."""

import io
import sys

import pytest
import torch

from nnlab import speak
from nnlab.build import build_model
from nnlab.compose import Composer, plain
from nnlab.generate.speech import texts
from nnlab.tokenizer.char import Char


@pytest.fixture(scope="module")
def tokenizer() -> Char:
    char = Char(special=())
    char.train(["abcdefg\n :"])
    return char


def write_run(folder, words, state=None):
    """Write what a finished run leaves of itself, as far as `generate` reads it."""
    composer = Composer()
    config = plain(composer.compose(words))
    model = build_model(config, composer.plugins)
    for parameter in model.parameters():
        parameter.data.mul_(5)  # so that the letters are not all alike
    content = {"state_dict": model.state_dict(), "nnlab": {"config": config}}
    if state is not None:
        content["nnlab"]["tokenizer"] = state
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.yaml").write_text("model: {}")
    torch.save(content, folder / "checkpoints/last.ckpt")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory, tokenizer):
    sizes = ("layers=2", "heads=2", "embedding_size=32", "context_size=16")
    words = ["model=gpt", f"model.vocabulary_size={tokenizer.vocabulary_size}"]
    folder = tmp_path_factory.mktemp("gpt") / "run"
    return write_run(
        folder, [*words, *(f"model.{size}" for size in sizes)], tokenizer.state()
    )


@pytest.fixture(scope="module")
def other_run(tmp_path_factory):
    words = ["model=mlp", "model.input_size=2", "model.classes=2"]
    return write_run(tmp_path_factory.mktemp("mlp") / "run", words)


@pytest.fixture
def typed(monkeypatch):
    """Let lines be typed, or be piped in."""

    def type_lines(text: str, *, is_watched: bool = False) -> None:
        stdin = io.StringIO(text)
        stdin.isatty = lambda: is_watched
        monkeypatch.setattr(sys, "stdin", stdin)

    return type_lines


def test_says_the_prompt_and_what_follows(nnlab, run):
    answer = nnlab("generate", f"run={run}", "prompt=abc:", "max_tokens=50")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith("abc:")
    assert len(answer.out) == len("abc:") + 50 + len("\n")


def test_folder_and_checkpoint_say_the_same(nnlab, run):
    words = ("prompt=abc", "max_tokens=30")
    by_folder = nnlab("generate", f"run={run}", *words)
    file = run / "checkpoints/last.ckpt"
    assert by_folder == nnlab("generate", f"run={file}", *words)


def test_seed_reproduces_and_another_differs(nnlab, run):
    words = ("generate", f"run={run}", "prompt=abc", "max_tokens=40")
    first, again, other = (nnlab(*words, f"seed={s}").out for s in (1, 1, 2))
    assert first == again != other


def test_shows_each_sample_under_its_seed(nnlab, run):
    words = ("generate", f"run={run}", "prompt=abc", "max_tokens=20")
    out = nnlab(*words, "samples=3", "seed=5").out
    alone = [nnlab(*words, f"seed={seed}").out for seed in (5, 6, 7)]
    assert out == "\n".join(
        f"--- seed {seed}\n{text}" for seed, text in zip((5, 6, 7), alone, strict=True)
    )


def test_writes_to_a_file_what_it_would_say(nnlab, run, tmp_path):
    words = ("generate", f"run={run}", "prompt=abc", "max_tokens=20")
    said = nnlab(*words).out
    answer = nnlab(*words, f"to={tmp_path / 'text.txt'}")
    assert (answer.status, answer.out) == (0, "")
    assert (tmp_path / "text.txt").read_text() == said


def test_greedy_is_one_beam(nnlab, run):
    words = ("generate", f"run={run}", "prompt=abc", "max_tokens=40")
    greedy, one_beam = nnlab(*words, "temperature=0").out, nnlab(*words, "beams=1").out
    assert greedy == one_beam


def test_without_a_prompt_begins_a_line(nnlab, run):
    answer = nnlab("generate", f"run={run}", "max_tokens=10")
    assert (answer.status, len(answer.out)) == (0, 11)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["prompt=abzé"], "'z', 'é'"),
        (["prompt="], "prompt=''"),
        (["max_tokens=0"], "max_tokens=0"),
        (["beams=2", "top_p=0.5"], "give one of them"),
        (["chat=true", "samples=2"], "samples=2"),
    ],
)
def test_refuses_in_one_sentence_and_says_nothing(nnlab, run, words, sentence):
    answer = nnlab("generate", f"run={run}", *words)
    assert (answer.status, answer.out) == (2, "")
    assert sentence in answer.err
    assert answer.err.count("\n") == 1


def test_run_of_another_kind_is_named(nnlab, other_run):
    answer = nnlab("generate", f"run={other_run}")
    assert answer.status == 2
    assert "holds model=mlp, which generates neither text nor images" in answer.err


def test_refusal_leaves_no_file(nnlab, run, tmp_path):
    file = tmp_path / "text.txt"
    assert nnlab("generate", f"run={run}", "prompt=é", f"to={file}").status == 2
    assert list(tmp_path.iterdir()) == []


def test_chat_answers_each_line_until_the_last(nnlab, run, typed):
    typed("abc\n\nabc\n")
    answer = nnlab("generate", f"run={run}", "chat=true", "max_tokens=12")
    assert (answer.status, answer.err) == (0, "")
    seeds = [
        nnlab("generate", f"run={run}", "prompt=abc", f"seed={seed}", "max_tokens=12")
        for seed in (0, 2)  # the empty line between was a turn too
    ]
    assert answer.out == "".join(each.out.removeprefix("abc") for each in seeds)


def test_chat_shows_where_to_type_and_ends_on_a_line_of_its_own(nnlab, run, typed):
    typed("abc\n", is_watched=True)
    answer = nnlab("generate", f"run={run}", "chat=true", "temperature=0")
    assert answer.out.startswith("> ")
    assert answer.out.endswith("\n> \n")


def test_chat_goes_on_after_a_prompt_that_it_cannot_read(nnlab, run, typed):
    typed("hé\nabc\n")
    answer = nnlab("generate", f"run={run}", "chat=true", "max_tokens=5")
    assert answer.status == 0
    assert "'é'" in answer.err
    assert len(answer.out) == 5 + 1


def test_ctrl_c_ends_an_answer_and_not_the_chat(nnlab, run, typed, monkeypatch):
    def interrupted(model, tokenizer, prompt, options):
        yield "as I was"
        if prompt == "abc":
            raise KeyboardInterrupt
        yield " saying"

    monkeypatch.setattr(speak, "stream", interrupted)
    typed("abc\ndef\n")
    answer = nnlab("generate", f"run={run}", "chat=true")
    assert (answer.status, answer.out) == (0, "as I was\nas I was saying\n")


def test_help_says_what_can_be_given(nnlab):
    assert "temperature=0.8" in nnlab("generate", "--help").out


def test_text_comes_as_it_is_drawn(nnlab, run, monkeypatch):
    flushed: list[list[str]] = []
    monkeypatch.setattr(speak, "say", lambda pieces: flushed.append(list(pieces)))
    nnlab("generate", f"run={run}", "prompt=abc", "max_tokens=5")
    assert [len(pieces) for pieces in flushed] == [2, 4, 1]


def test_samples_of_a_rebuilt_model_are_those_of_the_model(nnlab, run, tokenizer):
    content = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    model = speak.rebuild(content, "cpu")
    options = speak.options_from({"max_tokens": 40})
    [text] = texts(model, tokenizer, "abc", options)
    said = nnlab("generate", f"run={run}", "prompt=abc", "max_tokens=40").out
    assert said == f"abc{text.text}\n"
