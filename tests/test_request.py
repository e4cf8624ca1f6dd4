from dataclasses import fields

import pytest

from nnlab.errors import UserError
from nnlab.generate.options import Options
from nnlab.request import Request, check_request, help_text, options_from, read_words


def judge(*words: str) -> Options:
    request, numbers = read_words(words)
    check_request(request)
    return options_from(numbers)


def refusal(*words: str) -> str:
    with pytest.raises(UserError) as caught:
        judge(*words)
    return str(caught.value)


def test_reads_the_issue_s_own_commands():
    request, numbers = read_words(
        ["run=a", "prompt=ROMEO:", "temperature=0.8", "top_k=50", "top_p=0.95"]
    )
    assert request == Request(run="a", prompt="ROMEO:")
    assert options_from(numbers) == Options(temperature=0.8, top_k=50, top_p=0.95)
    assert options_from({"beams": 4}) == Options(beams=4)
    assert options_from({"temperature": 0}).is_greedy
    assert read_words(["run=a", "chat=true"])[0].chat


def test_takes_texts_as_they_are_typed():
    text = "to be, or {not} = 'to be' $1\n"
    request, _ = read_words([f"prompt={text}", "run=a=b,c", "to=x,y"])
    assert (request.prompt, request.run, request.to) == (text, "a=b,c", "x,y")


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("max_tokens=0", "max_tokens=0 must be greater than or equal to 1"),
        ("max_tokens=-5", "max_tokens=-5 must be"),
        ("max_tokens=1.5", "max_tokens=1.5 must be a whole number"),
        ("top_p=0", "top_p=0 must be greater than 0"),
        ("top_p=1.01", "top_p=1.01 must be less than or equal to 1"),
        ("temperature=-0.1", "temperature=-0.1 must be greater than or equal to 0"),
        ("temperature=hot", "temperature=hot must be a number"),
        ("temperature=inf", "temperature=inf must be a finite number"),
        ("top_k=0", "top_k=0 must be"),
        ("top_k=1,2", "top_k=1,2 gives several values"),
        ("repetition_penalty=0", "repetition_penalty=0 must be"),
        ("beams=0", "beams=0 must be"),
        ("samples=0", "samples=0 must be"),
        ("seed=-1", "seed=-1 must be"),
        ("stride=0", "stride=0 must be"),
        ("chat=perhaps", "chat=perhaps must be true or false"),
        ("checkpoint=first", "checkpoint=first must be 'best' or 'last'"),
        ("device=gpu", "device=gpu must be"),
        ("temprature=1", "'temprature'; did you mean temperature?"),
        ("prompts=x", "'prompts'; did you mean prompt?"),
        ("prompt", "cannot read 'prompt'"),
        ("run=b", "run is given twice"),
    ],
)
def test_refuses_in_one_sentence(word, sentence):
    said = refusal("run=a", word)
    assert sentence in said
    assert "\n" not in said


def test_needs_a_run():
    assert "generate needs a run" in refusal("prompt=x")


@pytest.mark.parametrize("drawing", ["temperature=0.5", "top_k=3", "top_p=0.9"])
def test_beams_and_drawing_exclude_each_other(drawing):
    assert "give one of them" in refusal("run=a", "beams=2", drawing)


def test_beams_and_no_drawing_agree():
    given = {"beams": 2, "temperature": 0, "top_k": None, "top_p": 1}
    assert options_from(given).beams == 2


def test_more_samples_than_beams_are_refused():
    assert "give beams=3" in refusal("run=a", "beams=2", "samples=3")


def test_file_that_is_there_is_not_written_over(tmp_path):
    (tmp_path / "old.txt").write_text("dear")
    assert "is there already" in refusal("run=a", f"to={tmp_path / 'old.txt'}")
    assert "there is no folder" in refusal("run=a", f"to={tmp_path / 'no/new.txt'}")
    assert "asks for many" in refusal("run=a", "chat=true", "to=new.txt")


def test_help_explains_each_option_and_its_default():
    every = help_text().splitlines()[2:]
    assert all(len(line) <= 80 for line in every)
    lines = [line for line in every if not line.startswith(" ")]
    names = [field.name for table in (Request, Options) for field in fields(table)]
    assert [line.partition("=")[0] for line in lines] == names
    assert all(len(line.split(maxsplit=1)[1]) > 10 for line in lines)
    assert any(line.startswith("seed=0 ") for line in lines)
    assert any(line.startswith("top_k=null ") for line in lines)
