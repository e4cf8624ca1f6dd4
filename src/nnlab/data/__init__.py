"""Data sets, one a file; see README.md."""
