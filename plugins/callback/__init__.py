"""Callbacks that act on a run, whatever its model; each is one file."""
