"""Reports: what a run's folder says, on a page, on the terminal, in TensorBoard."""
