"""Why something could not be read, as a person would say it: no library's own words."""

import json


def why(error: Exception) -> str:
    """Return a clause: the operating system's reason, or what is wrong inside.

    `no such file or directory`, `it is packed, and damaged`, `it is not UTF-8 at …`.
    """
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 at byte {error.start:,}"
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON at character {error.pos + 1:,}"
    if isinstance(error, EOFError):
        return "it is packed, and ends before its content does"
    place = getattr(error, "position", None)
    if isinstance(error, SyntaxError) and place is not None:  # of an XML parser
        return f"it is no whole XML (line {place[0]:,}, column {place[1] + 1:,})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    if isinstance(error, OSError) or type(error).__module__ == "zlib":
        return "it is packed, and damaged"  # what gzip, bz2 and zlib mean by these
    said = str(error).strip().splitlines()
    return said[0] if said else "no reason is known"
