"""Regularizers: `regularizer=[l1,dropout]`, added to any model from outside."""
