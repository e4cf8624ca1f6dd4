"""Runs over seeds set side by side: the best first, and what is sure of it.

runs -> entries.py (the same settings, other seeds: one entry) -> statistics.py (mean,
interval, is the first better than the second?) -> table.py (terminal, CSV),
verdict.py (a sentence) -> page.py (one self-contained page); answer.py does all of it.
"""
