import os
import signal
import time
from pathlib import Path

import pytest
import torch

from nnlab.errors import UserError
from nnlab.testing import child
from nnlab.testing.child import Crashed, Refused, in_child, in_children


def refuse() -> None:
    raise UserError("no")


def fail() -> None:
    raise ZeroDivisionError("here")


def test_what_a_child_changes_is_changed_there_only():
    def work() -> tuple[str, bool]:
        torch.set_default_dtype(torch.float64)
        return os.environ["NNLAB_TEST"], torch.ones(1).dtype == torch.float64

    assert in_child(work, {"NNLAB_TEST": "a"}) == ("a", True)
    assert "NNLAB_TEST" not in os.environ
    assert torch.get_default_dtype() == torch.float32


def test_a_users_mistake_is_a_refusal_and_all_else_a_crash():
    with pytest.raises(Refused, match="no"):
        in_child(refuse, {})
    line = fail.__code__.co_firstlineno + 1
    with pytest.raises(Crashed) as crashed:
        in_child(fail, {}, Path(__file__).parent)
    assert str(crashed.value) == f"ZeroDivisionError: here ({__file__}:{line})"


def test_a_child_that_is_killed_is_told_by_its_exit():
    with pytest.raises(Crashed, match=r"its process died \(exit -9\)"):
        in_child(lambda: os.kill(os.getpid(), signal.SIGKILL), {})


def test_one_that_fails_ends_those_that_wait_for_it():
    with pytest.raises(Crashed, match="ZeroDivisionError"):
        in_children([lambda: time.sleep(3600), fail], [{}, {}])


def test_one_that_does_not_end_is_ended_with_its_own_children(monkeypatch, tmp_path):
    def work() -> None:
        if os.fork() == 0:
            (tmp_path / "grandchild").write_text(str(os.getpid()))
        time.sleep(3600)

    monkeypatch.setattr(child, "SECONDS", 2.0)
    with pytest.raises(Crashed, match="did not end within 2 s"):
        in_child(work, {})
    number = int((tmp_path / "grandchild").read_text())
    while is_running(number):  # until the kernel has come to it
        time.sleep(0.01)


def is_running(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_children_answer_in_their_order():
    def answer(number: int):
        return lambda: (time.sleep(0.2 * (1 - number)), number)[1]

    assert in_children([answer(0), answer(1)], [{}, {}]) == [0, 1]
