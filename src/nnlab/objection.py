"""What a constructor has against its arguments, with the key and the plugin named."""

import re
from collections.abc import Mapping
from typing import Any

from nnlab.errors import as_typed
from nnlab.plugins import Plugins, author

PLAIN = (str, int, float, bool, list, tuple, type(None))


def objection(
    error: Exception,
    cls: type,
    arguments: Mapping[str, Any],
    where: str,
    plugins: Plugins,
) -> str:
    """Return the sentence: `model.dropout=2 of the plugin lab 0.1: must be below 1`.

    Args:
        error: that the constructor raised; its first line is told.
        cls: of which no object came to be.
        arguments: that it was given, of which the error may name one.
        where: the section, or `regularizer.l1`.
        plugins: of which one may have brought the class.
    """
    lines = str(error).strip().splitlines() or ["is not accepted"]
    said = lines[0]
    named = [name for name in arguments if re.search(rf"\b{re.escape(name)}\b", said)]
    key, plugin = where, author(cls.__module__, plugins)
    if len(named) == 1:
        value = arguments[named[0]]
        shown = f"={as_typed(value)}" if isinstance(value, PLAIN) else ""
        key = f"{where}.{named[0]}{shown}"
    if plugin is not None:
        return f"{key} of the plugin {plugin.title}: {said}"
    return said if said.startswith(where) else f"{key}: {said}"
