"""Callbacks that any model may train with."""
