import json

import pytest

from nnlab.report.run_reading import RunReading


def test_half_a_row_of_a_killed_run_is_left_out(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2, "tra')
    assert RunReading(tmp_path).rows == [{"step": 1}]


def test_a_damaged_row_in_the_middle_is_not_hidden(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1\n{"step": 2}\n')
    with pytest.raises(json.JSONDecodeError):
        _ = RunReading(tmp_path).rows


def test_an_empty_folder_is_an_empty_run(tmp_path):
    run = RunReading(tmp_path)
    assert (run.status, run.cause, run.result, run.rows) == ("unknown", None, {}, [])
    assert (run.config, run.overrides, run.figures, run.over_training) == (
        {},
        [],
        {},
        {},
    )


def test_frames_are_in_the_order_of_their_steps(folder):
    assert list(RunReading(folder).over_training["decision_boundary"]) == [0, 50, 1000]
