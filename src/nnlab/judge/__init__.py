"""Judges of images that were made up: a classifier of real ones, and what it says."""
