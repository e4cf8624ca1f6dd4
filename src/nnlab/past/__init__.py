"""Runs already made: listed, told apart, made again.

A folder is asked, never a data base: what `outputs/` holds is what there is.
"""
