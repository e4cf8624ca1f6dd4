"""Optimizers: torch's, with checked numbers, and Muon with AdamW for the rest."""
