"""Hugging Face's tokenizers, imported only where something is trained or looked up."""

import os
from typing import Any


def tokenizers_library() -> Any:
    """Return the module, kept to one thread: a run has its own budget of them."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # and it warns of forks
    import tokenizers

    return tokenizers
