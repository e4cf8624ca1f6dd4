"""The terminal, which shows what is said as it is said."""

from typing import Any

from rich.console import Console


def screen(**settings: Any) -> Console:
    """Return rich's console, to which nothing is markup: `regularizer=[dropout]`."""
    return Console(highlight=False, markup=False, emoji=False, **settings)
