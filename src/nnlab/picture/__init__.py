"""Pictures: what a network does, as matplotlib figures."""
