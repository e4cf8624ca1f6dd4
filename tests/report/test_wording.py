import json

import pytest

from nnlab.report.run_reading import RunReading
from nnlab.report.wording import (
    duration_text,
    metric_text,
    natural_order,
    reference,
    verdict,
)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("test/accuracy", 0.98914, "98.91 %"),
        ("accuracy", 1, "100.00 %"),
        ("test/accuracy_top5", 0.5, "50.00 %"),
        ("test/bit_accuracy", 1.0, "100.00 %"),
        ("test/knn_error", 0.0094, "0.94 %"),
        ("test/share_of_7", 0.061, "6.10 %"),
        ("test/squared_error", 0.9, "0.9"),
        ("test/loss", 0.0432109, "0.04321"),
        ("test/loss", 0.0, "0"),
        ("test/mistakes", 12345, "12,345"),
        ("test/loss", float("nan"), "nan"),
        ("test/accuracy", "impossible", "impossible"),
        ("test/accuracy", None, "not given"),
    ],
)
def test_a_metric_is_said_as_one_reads_it(name, value, text):
    assert metric_text(name, value) == text


def test_numbers_in_names_are_in_their_own_order():
    names = ["loss", "accuracy_256bit", "accuracy_64bit", "accuracy"]
    ordered = sorted(names, key=natural_order)
    assert ordered == ["accuracy", "accuracy_64bit", "accuracy_256bit", "loss"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0.0373, "0.037 s"), (8.21, "8.2 s"), (59.99, "1 min 0 s")),
        *((200, "3 min 20 s"), (7500, "2 h 5 min")),
    ],
)
def test_a_duration_is_said_as_one_reads_it(seconds, text):
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("metrics", "chosen"),
    [
        (["val/loss", "test/loss", "test/accuracy"], "test/accuracy"),
        (["test/loss", "test/error"], "test/error"),
        (["val/accuracy", "test/loss"], "test/loss"),
        (["val/loss", "val/accuracy"], "val/accuracy"),
    ],
)
def test_the_verdict_is_the_metric_that_says_most(tmp_path, metrics, chosen):
    names = ", ".join(f'"{name}": 0.5' for name in metrics)
    (tmp_path / "result.json").write_text(f'{{"metrics": {{{names}}}}}')
    found = verdict(RunReading(tmp_path))
    assert found is not None
    assert found[0] == chosen


def test_the_metric_of_the_reference_is_the_verdict(folder):
    assert verdict(RunReading(folder)) == ("test/accuracy", "98.75 %")


def test_a_target_says_on_which_side_it_is_met(tmp_path):
    text = '{"reference": {"metric": "test/loss", "published": null, "target": 1.91'
    tail = ', "better": "lower", "reached": 1.9, "met": true}}'
    (tmp_path / "result.json").write_text(text + tail)
    given = reference(RunReading(tmp_path))
    assert given is not None
    assert (given.published, given.target) == ("not given", "≤ 1.91")


def test_what_was_monitored_is_the_verdict_where_there_is_no_accuracy(tmp_path):
    metrics = {"test/classifier_score": 1.0, "test/fid": 42.5, "test/loss": 0.5}
    (tmp_path / "result.json").write_text(json.dumps({"metrics": metrics}))
    (tmp_path / "config.yaml").write_text("monitor: {metric: val/fid, mode: min}\n")
    assert verdict(RunReading(tmp_path)) == ("test/fid", "42.5")
