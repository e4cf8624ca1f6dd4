"""Student's t (1908): how far a mean of few values may be off.

`scipy.stats` has it too, and takes a second to import; its special functions take a
quarter, and only where there are seeds to compare.
"""


def p_value(t: float, freedom: int) -> float:
    """Return how likely a value at least so far from zero is, on both sides."""
    from scipy.special import stdtr  # pyright: ignore[reportMissingTypeStubs]

    return float(2 * stdtr(freedom, -abs(t)))


def quantile(confidence: float, freedom: int) -> float:
    """Return the t within which that share of all values lies, 12.7 for 0.95 and 1."""
    from scipy.special import stdtrit  # pyright: ignore[reportMissingTypeStubs]

    return float(stdtrit(freedom, (1 + confidence) / 2))
