import csv
import io
import json

import pytest
import torch

from nnlab.answer import Answer, classified, told
from nnlab.errors import UserError
from nnlab.report.answers import as_lines, as_picture, as_table, shown


def test_the_likeliest_three_are_said_and_all_are_kept():
    [answer] = classified(torch.tensor([[0.1, 0.6, 0.05, 0.25]]), torch.tensor([-1]))
    assert answer.said == "1 60.00 %, then 3 25.00 %, 0 10.00 %"
    assert list(answer.values["probabilities"]) == ["0", "1", "2", "3"]
    assert "right" not in answer.values


def test_classes_have_their_names_and_a_wrong_one_is_said():
    share, truth = torch.tensor([[0.9, 0.1], [0.2, 0.8]]), torch.tensor([1, 1])
    wrong, right = classified(share, truth, names=["coat", "bag"])
    assert wrong.said == "coat 90.00 %, then bag 10.00 % (wrong: it is bag)"
    assert (wrong.values["right"], right.values["right"]) == (False, True)


def test_threshold_units_tell_by_their_sums():
    one = told(torch.tensor([[-0.5], [2.0], [0.0]]), torch.full((3,), -1))
    assert [answer.values["label"] for answer in one] == ["0", "1", "0"]
    [several] = told(torch.tensor([[-1.0, 3.0, 2.0]]), torch.tensor([-1]))
    assert several.said == "1, net input -1 3 2"


def test_a_table_has_a_column_for_each_number():
    answers = [
        Answer("", {"code": [1.5, 2.5], "error": 3.0}),
        Answer("", {"error": 4.0}),
    ]
    rows = list(csv.DictReader(io.StringIO(as_table(["a", 'b,"c'], answers))))
    assert rows[0] == {"input": "a", "code_0": "1.5", "code_1": "2.5", "error": "3.0"}
    assert (rows[1]["input"], rows[1]["code_0"]) == ('b,"c', "")


def test_lines_are_json_of_any_size():
    [line] = as_lines(["ö"], [Answer("", {"sum": 2**300})]).splitlines()
    assert json.loads(line) == {"input": "ö", "sum": 2**300}


def test_the_terminal_is_kept_to_eighty_columns_and_twenty_answers():
    names = ["short", "a/very/long/name/of/a/picture.png", *map(str, range(30))]
    answers = [Answer("word " * 30, {"right": True}) for _ in names]
    lines = shown(names, answers, is_one=False).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-2:] == [
        "… and 12 more; to=answers.csv has them all",
        "32 of 32 are right",
    ]
    assert shown(["9 + 60"], [Answer("9 + 60 = 69", {})], is_one=True) == (
        "9 + 60 = 69\n"
    )


def test_a_picture_has_what_was_rebuilt_below_what_was_given():
    before, after = torch.full((2, 2), 0.0), torch.full((2, 2), 1.0)
    answers = [Answer("", {}, {"input": before, "rebuilt": after})] * 3
    [drawn] = as_picture(answers).axes[0].images
    pixels = drawn.get_array()
    assert pixels.shape == (4, 6)
    assert pixels[:2].max() == 0
    assert pixels[2:].min() == 1
    with pytest.raises(UserError, match="hold no picture"):
        as_picture([Answer("", {})])
