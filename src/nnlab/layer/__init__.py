"""Layers: blocks that three models share."""
