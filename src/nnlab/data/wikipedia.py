"""Articles of a Wikipedia dump, as `nnlab prepare data=wikipedia` left it."""

from nnlab.data._prepared import PreparedText


class Wikipedia(PreparedText):
    """Windows of the shards as (tokens, targets), both int64 (batch, context)."""
