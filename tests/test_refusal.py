"""A value that is not accepted is told what would be, every member of a union."""

from typing import Annotated, Literal

import pytest
from annotated_types import Interval
from typing_extensions import Doc

from nnlab.errors import UserError
from nnlab.target import check_value

Few = Annotated[int, Interval(ge=1, le=8), Doc("more take too long")]


@pytest.mark.parametrize(
    ("value", "hint", "said"),
    [
        (
            "some",
            int | Literal["all", "none"],
            "k=some must be a whole number, 'all' or 'none'",
        ),
        (
            "al",
            int | Literal["all", "none"],
            "k=al must be a whole number, 'all' or 'none'; did you mean all?",
        ),
        ("least", Literal["min", "max"], "k=least must be 'min' or 'max'"),
        (["a", "b"], str, "k=[a,b] must be a word, not a list"),
        ({"a": 1}, str, "k={a:1} must be a word, not a mapping"),
        ({"a": 1}, list[int] | None, "k={a:1} must be a list, not a mapping"),
        ("a", list[int], "k=a must be a list"),
        ([1, "a"], list[int], "k[1]=a must be a whole number"),
        (9, Few, "k=9 must be less than or equal to 8: more take too long"),
        (
            [1, 9],
            list[Few],
            "k[1]=9 must be less than or equal to 8: more take too long",
        ),
        (None, int, "k=null must be a whole number"),
        (True, int, "k=true must be a whole number"),
        ([0.9], tuple[float, float], "k=[0.9] must be a list of 2 values"),
        ([], tuple[float, float], "k=[] must be a list of 2 values"),
        (
            [1.0, 2.0, 3.0],
            tuple[float, float],
            "k=[1.0,2.0,3.0] must be a list of 2 values",
        ),
        ("a", Few | None, "k=a must be a whole number: more take too long"),
    ],
)
def test_a_refusal_names_key_value_and_what_is_accepted(value, hint, said):
    with pytest.raises(UserError) as refused:
        check_value(value, hint, "k")
    assert str(refused.value) == said


@pytest.mark.parametrize("value", [2, -2, "all", "none"])
def test_every_member_of_a_union_is_taken(value):
    assert check_value(value, int | Literal["all", "none"], "k") == value
