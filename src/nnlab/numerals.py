"""Numbers as they are read: a count beside its noun, a share that claims no more."""

MOST_DECIMALS = 6  # of a percentage: no float32 below 1 is nearer to it


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 document`, `2,000 documents`; the plural is given where it is no -s."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def percent(share: float, decimals: int = 2) -> str:
    """Return 0.9914 as `99.14 %`."""
    return f"{hundredths(share, decimals)} %"


def hundredths(share: float, decimals: int = 2) -> str:
    """Return 0.9914 as `99.14`, and 0.99996 as `99.996`: not all is not 100.

    Nor is a little nothing: 0.00003 is `0.003`.
    """
    text = f"{100 * share:.{decimals}f}"
    while _claims_more(text, share) and decimals < MOST_DECIMALS:
        decimals += 1
        text = f"{100 * share:.{decimals}f}"
    if not _claims_more(text, share):
        return text
    least = 10.0**-decimals
    return f"> {100 - least:.{decimals}f}" if share > 0.5 else f"< {least:.{decimals}f}"


def below_one(number: float, form: str) -> str:
    """Return a number by a form (`.4g`), with more digits where it would read as 1."""
    digits, kind = int(form[1:-1]), form[-1]
    text = f"{number:{form}}"
    while 0 < number < 1 and float(text) == 1:
        digits += 1
        text = f"{number:.{digits}{kind}}"
    return text


def _claims_more(said: str, share: float) -> bool:
    return (share < 1 and float(said) >= 100) or (share > 0 and float(said) <= 0)
