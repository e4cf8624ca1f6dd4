"""The rows of tests/scorecard.py, and what they share with the tests."""
