"""nnlab: a lab bench for neural architectures."""

__version__ = "0.1.0"
