"""Values against type hints, targets against the trusted packages."""

from typing import Any, Literal

import pytest

from nnlab.errors import UserError
from nnlab.limits import Count, Natural, NonNegative, Positive, Share
from nnlab.target import check_arguments, check_value, parameters_of, resolve

ACCEPTED = [
    (3, Count, 3),
    (0, Natural, 0),
    (0, Share, 0.0),
    (0.5, Share, 0.5),
    (2, Positive, 2.0),
    (0, NonNegative, 0.0),
    ([1, 2], tuple[int, ...], (1, 2)),
    ([1, 2], list[int], [1, 2]),
    ([], tuple[Count, ...], ()),
    ([0.9, 0.99], tuple[float, float], (0.9, 0.99)),
    (None, int | None, None),
    ("tanh", Literal["tanh", "relu"], "tanh"),
    (True, bool, True),
    ({"a": 1}, dict[str, int], {"a": 1}),
    ("anything", Any, "anything"),
    (1998, Literal[1998] | Literal["modern"], 1998),
]
REFUSED = [
    (0, Count, "x=0 must be greater than or equal to 1"),
    (-1, Natural, "x=-1 must be greater than or equal to 0"),
    (10**7, Count, "must be less than or equal to 1000000"),
    (1.0, Share, "x=1.0 must be less than 1"),
    (0, Positive, "x=0 must be greater than 0"),
    (1.5, Count, "x=1.5 must be a whole number"),
    ("3", Count, "x=3 must be a whole number"),
    (True, Count, "x=true must be a whole number"),
    ("many", Share, "x=many must be a number"),
    (1, bool, "x=1 must be true or false"),
    (1, str, "x=1 must be a word"),
    (3, tuple[int, ...], "x=3 must be a list"),
    ([1, "b"], tuple[int, ...], r"x\[1\]=b must be a whole number"),
    ([1, 0], tuple[Count, ...], r"x\[1\]=0 must be greater"),
    ("b", int | None, "x=b must be a whole number"),
    (
        "thanh",
        Literal["tanh", "relu"],
        "x=thanh must be 'tanh' or 'relu'; did you mean tanh",
    ),
    (float("nan"), float, "x=nan must be a finite number"),
    (float("inf"), Any, "x=inf must be a finite number"),
]


@pytest.mark.parametrize(("value", "hint", "wanted"), ACCEPTED, ids=str)
def test_what_fits_is_accepted(value, hint, wanted):
    accepted = check_value(value, hint, "x")
    assert accepted == wanted
    assert type(accepted) is type(wanted)


@pytest.mark.parametrize(("value", "hint", "said"), REFUSED, ids=str)
def test_what_does_not_fit_is_refused_in_one_sentence(value, hint, said):
    with pytest.raises(UserError, match=said) as raised:
        check_value(value, hint, "x")
    assert "\n" not in str(raised.value)


class Thing:
    def __init__(self, parameters: list, *, width: Count, rate: float = 0.1) -> None:
        """Nothing: only its signature matters."""


def test_arguments_are_checked_by_name():
    later = frozenset({"parameters"})
    assert check_arguments(Thing, {"width": 3}, "thing", later) == {"width": 3}
    with pytest.raises(UserError, match=r"thing\.widht is nothing.*did you mean width"):
        check_arguments(Thing, {"widht": 3}, "thing", later)
    with pytest.raises(UserError, match=r"thing\.width is missing; Thing needs it"):
        check_arguments(Thing, {"rate": 3.0}, "thing", later)
    with pytest.raises(UserError, match=r"thing\.parameters is missing"):
        check_arguments(Thing, {"width": 3}, "thing")


def test_parameters_are_those_of_the_constructor():
    taken = parameters_of("lightning.Trainer", ())
    assert {"max_epochs", "gradient_clip_val"} <= taken
    assert "self" not in taken


TARGETS = {
    "os.system": "outside the trusted packages",
    "builtins.eval": "outside the trusted packages",
    "subprocess.Popen": "outside the trusted packages",
    "torchevil.Net": "outside the trusted packages",
    "torch.load": "is not a class",
    "torch.nowhere.Net": "cannot be imported",
    "torch.nn.Nothing": "cannot be imported",
    "torch": "cannot be imported",
}


@pytest.mark.parametrize(("target", "said"), TARGETS.items(), ids=str)
def test_a_target_that_is_not_wanted_is_refused(target, said):
    with pytest.raises(UserError, match=said) as raised:
        resolve(target, "model", ())
    assert "\n" not in str(raised.value)


def test_nothing_untrusted_is_imported(tmp_path, monkeypatch):
    (tmp_path / "trap_for_nnlab.py").write_text("open('sprung', 'w')\nclass Net: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="outside the trusted packages"):
        resolve("trap_for_nnlab.Net", "model", ())
    assert not (tmp_path / "sprung").exists()
