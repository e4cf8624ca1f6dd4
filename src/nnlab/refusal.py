"""What pydantic found wrong with a value, in one sentence."""

import re
from typing import TYPE_CHECKING, Any, get_args

from typing_extensions import Doc

from nnlab.errors import as_typed, did_you_mean
from nnlab.numerals import counted

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# What each says of the kind of value that would have been right.
_WRONG_TYPES: dict[str, str | None] = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a word",
    "none_required": "null",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "is_instance_of": None,
    "timedelta_type": "a duration",
    "callable_type": None,
}
OUT_OF_RANGE = 2


def refusal(problems: "list[ErrorDetails]", hint: Any, where: str) -> str:
    """Return the key, its value and what its type hint would accept.

    Of a hint that is `Annotated` with a `Doc`, that says why, or what else serves.
    """
    explained = "".join(f": {text}" for text in _explanations(hint))
    return _sentence(problems, where) + explained


def _explanations(hint: Any) -> list[str]:
    """Return what a hint's `Doc`s say of its values: why so few, what else serves."""
    found = [
        each.documentation
        for each in getattr(hint, "__metadata__", ())
        if isinstance(each, Doc)
    ]
    for part in get_args(hint):
        found += _explanations(part)
    return found


def _sentence(problems: "list[ErrorDetails]", where: str) -> str:
    # A union reports each of its members, and a list is tried as a tuple too: what came
    # furthest says most.
    deepest = max(len(_indices(each)) for each in problems)
    problems = [each for each in problems if len(_indices(each)) == deepest]
    details = max(problems, key=_says_most)
    place = "".join(f"[{index}]" for index in _indices(details))
    message = details["msg"][0].lower() + details["msg"][1:]
    message = message.replace("input should be", "must be")
    if _says_most(details) < OUT_OF_RANGE:
        kinds = dict.fromkeys(kind for each in problems for kind in _kinds(each))
        message = f"must be {_either([*kinds])}" if kinds else "is of another type"
        other = {list: "list", dict: "mapping"}.get(type(details["input"]))
        message += f", not a {other}" if other and f"a {other}" not in kinds else ""
    hint = ""
    if details["type"] == "literal_error":
        choices = [word.strip("'") for word in _kinds(details)]
        hint = did_you_mean(str(details["input"]), choices).split("; there is")[0]
    count = _length_wanted(problems)
    if count is not None:
        place = place if details["type"] == "too_long" else place.rpartition("[")[0]
        message = f"must be a list of {counted(count, 'value')}"
    return f"{where}{place}={as_typed(details['input'])} {message}{hint}"


def _length_wanted(problems: "list[ErrorDetails]") -> int | None:
    """Return how many values a list must have, where nothing else is wrong with it."""
    others = [each for each in problems if each["type"] not in _WRONG_TYPES]
    kinds = {each["type"] for each in others}
    if kinds == {"too_long"}:
        return others[0].get("ctx", {})["max_length"]
    if kinds == {"missing"} and isinstance(others[0]["input"], tuple):
        return 1 + max(_indices(each)[-1] for each in others)
    return None


def _says_most(details: "ErrorDetails") -> int:
    if details["type"] in _WRONG_TYPES:
        return 0
    return 1 if details["type"] == "literal_error" else OUT_OF_RANGE


def _kinds(details: "ErrorDetails") -> list[str]:
    """Return what one member of a union would have taken."""
    if details["type"] == "literal_error":
        return re.split(", | or ", details.get("ctx", {})["expected"])
    kind = _WRONG_TYPES.get(details["type"])
    return [kind] if kind else []


def _either(kinds: list[str]) -> str:
    return " or ".join([", ".join(kinds[:-1]), kinds[-1]] if kinds[1:] else kinds)


def _indices(details: "ErrorDetails") -> list[int]:
    return [part for part in details["loc"] if isinstance(part, int)]
