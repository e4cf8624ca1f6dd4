"""Engines: who does the tasks of a preparation."""

from nnlab.corpus.executor.executor import Executor

__all__ = ["Executor"]
