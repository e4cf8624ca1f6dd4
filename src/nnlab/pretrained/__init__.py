"""Weights that others trained, read and written in their own formats."""
