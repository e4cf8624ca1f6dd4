"""Plugins: found without importing any of their code, and without torch.

`find_plugins` looks; `search_path`, `trusted_roots`, `explain_broken` and `in_use` say
what a run needs to know of what was found.
"""

from nnlab.plugins.find import discover, find_plugins, left_alone
from nnlab.plugins.plugin import GROUPS, MANIFEST, Plugin, Plugins
from nnlab.plugins.use import (
    author,
    complaints,
    explain_broken,
    explain_code,
    in_use,
    owner,
    search_path,
    trusted_roots,
)

__all__ = [
    "GROUPS",
    "MANIFEST",
    "Plugin",
    "Plugins",
    "author",
    "complaints",
    "discover",
    "explain_broken",
    "explain_code",
    "find_plugins",
    "in_use",
    "left_alone",
    "owner",
    "search_path",
    "trusted_roots",
]
