"""The table at a sweep's end: what differs, what came out, within the terminal."""

from io import StringIO

from rich.console import Console

from nnlab.report.sweep_table import sweep_table

METRICS = {"test/loss": 0.5, "test/accuracy": 0.25, "test/accuracy_256bit": 1.0}


def shown(metrics, width):
    words = ["model=mlp", "+model.a_long_name=1", "optimizer.lr=0.1"]
    jobs = [
        {"number": 0, "overrides": words, "metrics": metrics},
        {"number": 1, "overrides": [*words[:2], "optimizer.lr=0.2"], "metrics": {}},
    ]
    jobs = [{"status": "complete", "seconds": 61.0, **job} for job in jobs]
    console = Console(width=width, file=StringIO())
    console.print(sweep_table(jobs, width=width))
    return console.file.getvalue()


def test_only_settings_that_differ_have_a_column():
    text = shown(METRICS, 120)
    assert "lr" in text
    assert "0.2" in text
    assert "mlp" not in text
    assert "long_name" not in text


def test_numbers_are_whole_and_what_has_no_room_is_named():
    assert "result.json" not in shown(METRICS, 120)
    text = shown(METRICS, 60)
    assert "…" not in text
    assert "25.00 %" in text  # accuracy first, the loss last
    assert "in each run's result.json as well: " in text
    assert "test/loss" in text


def test_one_metric_is_shown_however_narrow():
    assert "25.00 %" in shown({"test/accuracy": 0.25}, 46)
