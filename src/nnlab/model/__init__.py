"""Models: one architecture a file, plain PyTorch under one base class."""
