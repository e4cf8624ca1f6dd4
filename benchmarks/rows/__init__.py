"""The sections of `benchmarks/run.py`, one a file: each yields its rows."""
