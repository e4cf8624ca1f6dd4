"""What nnlab asks of every plugin. Tests of what this one computes go below."""

from nnlab.testing import conformance

TestMyPlugin = conformance(__file__)
