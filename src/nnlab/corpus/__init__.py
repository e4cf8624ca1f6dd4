"""Corpus: from archives of the web to tokens that a language model trains on.

No Hydra and no torch: every stage runs in a plain process, on any machine.
"""
