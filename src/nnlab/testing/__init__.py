"""For those who write plugins: the tests that every plugin must pass.

from nnlab.testing import conformance

TestPlugin = conformance(__file__)
"""

from nnlab.testing.conformance import conformance

__all__ = ["conformance"]
