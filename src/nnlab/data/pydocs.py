"""Python's own documentation of its language: half a megabyte that comes with Python.

The texts of `help("if")` and its like, from the standard library's pydoc_data.topics:
English and code, other text in each version of Python.
"""

from pydoc_data.topics import topics

from typing_extensions import override

from nnlab.data._text import TextData


class PythonDocs(TextData):
    """Topics as (tokens, targets), both int64 (batch, context); a topic a document."""

    @override
    def documents(self) -> list[str]:
        return [topics[name] for name in sorted(topics)]
