"""What the scorecard tries is all that is offered."""

from pathlib import Path

from reliability.everything import cases


def test_every_model_and_data_set_has_a_tiny_run_to_be_killed():
    """A new one gets its line in tests/reliability/everything.py."""
    unknown = [choice for choice, words in cases(Path("texts")) if words is None]
    assert unknown == []
