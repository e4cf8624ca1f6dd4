"""Text of Common Crawl, as `nnlab prepare data=common_crawl` left it."""

from nnlab.data._prepared import PreparedText


class CommonCrawl(PreparedText):
    """Windows of the shards as (tokens, targets), both int64 (batch, context)."""
