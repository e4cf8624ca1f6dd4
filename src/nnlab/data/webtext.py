"""Pages, texts or lines of JSON, as `nnlab prepare data=webtext` left them."""

from nnlab.data._prepared import PreparedText


class WebText(PreparedText):
    """Windows of the shards as (tokens, targets), both int64 (batch, context)."""
