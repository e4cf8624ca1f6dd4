import io
import json

import pytest
from rich.console import Console

from nnlab.report.terminal import print_result


def printed(folder, width=80):
    console = Console(file=io.StringIO(), width=width)
    print_result(console, folder)
    return console.file.getvalue()


def test_prints_result_reference_remark_and_next_steps(folder):
    text = printed(folder)
    assert "mlp on xor  complete in 12.3 s, 1,234 parameters" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["accuracy", "98.75", "%"] in lines
    assert ["loss", "0.04321", "0.0512"] in lines
    assert "target met 99.00 % ≥ 98.00 % 98.75 %" in map(" ".join, lines)
    assert "Four points, of which <all> are right." in text


def test_a_command_stays_on_one_line_however_long_and_narrow(folder):
    lines = [line.strip() for line in printed(folder, width=40).splitlines()]
    assert len(str(folder)) > 40
    assert f"nnlab test run={folder}" in lines
    assert f"tensorboard --logdir {folder / 'tensorboard'}" not in lines
    assert f"tensorboard --logdir {folder}" in lines


def test_a_log_gets_no_colour_codes(folder):
    assert "\x1b" not in printed(folder)


def test_all_but_the_commands_fit_into_80_columns(folder):
    lines = printed(folder).splitlines()
    assert max(len(line) for line in lines if str(folder) not in line) <= 80


def test_words_of_a_run_are_not_taken_for_markup(folder):
    result = json.loads((folder / "result.json").read_text())
    result |= {"remark": "not [bold] at all", "model": "[red]mlp"}
    (folder / "result.json").write_text(json.dumps(result))
    text = printed(folder)
    assert "not [bold] at all" in text
    assert "[red]mlp on xor" in text


def test_a_failed_run_says_why(failed_folder):
    text = printed(failed_folder)
    assert "gpt on shakespeare  failed" in text
    assert "the loss is nan at step <3>" in text
    assert "nnlab resume" not in text


@pytest.mark.parametrize("met", [True, False])
def test_says_whether_the_target_is_met(folder, met):
    result = json.loads((folder / "result.json").read_text())
    result["reference"]["met"] = met
    (folder / "result.json").write_text(json.dumps(result))
    assert ("target not met" not in printed(folder)) is met
