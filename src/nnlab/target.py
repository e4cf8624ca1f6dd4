"""From a `_target_` to a class that may be called, its numbers checked against it."""

import importlib
import inspect
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

from nnlab.errors import UserError, did_you_mean
from nnlab.plugins import Plugins, explain_code, trusted_roots

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def resolve(target: str, where: str, plugins: Plugins) -> type:
    """Return the class that a `_target_` names.

    The root is compared with the trusted packages before anything is imported.

    Raises:
        UserError: where the target is not trusted, not found, or not a class.
    """
    root = target.split(".")[0]
    if root not in trusted_roots(plugins):
        trusted = ", ".join(sorted(trusted_roots(plugins)))
        raise UserError(
            f"{where}._target_={target} lies outside the trusted packages ({trusted}); "
            "a plugin's manifest can name its own"
        )
    module, _, name = target.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # a plugin's module may raise anything
        explained = explain_code(target, error, plugins)
        raise explained or UserError(
            f"{where}._target_={target} cannot be imported: {error}"
        ) from error
    if not inspect.isclass(found):
        raise UserError(f"{where}._target_={target} is not a class")
    return found


def parameters_of(target: str, plugins: Plugins) -> set[str]:
    """Return the names of the arguments that a target's constructor takes."""
    return set(_signature(resolve(target, "", plugins)))


def check_arguments(
    cls: type,
    arguments: Mapping[str, Any] | Any,
    where: str,
    later: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return the arguments as the constructor's type hints want them.

    `later` names those that are given only when the object is made.

    Raises:
        UserError: naming the key, the value and what would be accepted.
    """
    if not isinstance(arguments, Mapping):  # one value for a whole section
        raise UserError(f"{where}={arguments} must be values by name: {where}.x=...")
    parameters = _signature(cls)
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    hints = _hints(cls)
    accepted: dict[str, Any] = {}
    for name, value in arguments.items():
        if name not in parameters and not takes_any:
            hint = did_you_mean(name, parameters)
            raise UserError(
                f"{where}.{name} is nothing that {cls.__name__} takes{hint}"
            )
        accepted[name] = check_value(value, hints.get(name, Any), f"{where}.{name}")
    for name, parameter in parameters.items():
        named = parameter.kind in (
            parameter.KEYWORD_ONLY,
            parameter.POSITIONAL_OR_KEYWORD,
        )
        if (
            named
            and parameter.default is parameter.empty
            and name not in later | accepted.keys()
        ):
            raise UserError(f"{where}.{name} is missing; {cls.__name__} needs it")
    return accepted


def check_value(value: Any, hint: Any, where: str) -> Any:
    """Return the value, a list as a tuple where that is wanted.

    Raises:
        UserError: where the value is not of the hinted type or range, or not finite.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where}={value} must be a finite number")
    # Here, not at the top: `--help` and `--cfg job` check nothing, and it costs 80 ms.
    from pydantic import ConfigDict, TypeAdapter, ValidationError
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

    strict = ConfigDict(strict=True, arbitrary_types_allowed=True)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint, config=strict)
    except (PydanticSchemaGenerationError, PydanticUserError, NameError):
        return value  # a hint of another library's, that says nothing of plain values
    candidates = [value, tuple(value)] if isinstance(value, list) else [value]
    problems: list[ErrorDetails] = []
    for candidate in candidates:
        try:
            return adapter.validate_python(candidate)
        except ValidationError as error:
            problems += error.errors()
    raise UserError(_sentence(problems, where))


def _sentence(problems: "list[ErrorDetails]", where: str) -> str:
    # A union reports each of its members, and a list is tried as a tuple too: what came
    # furthest says most.
    deepest = max(len(_indices(each)) for each in problems)
    problems = [each for each in problems if len(_indices(each)) == deepest]
    details = max(problems, key=lambda each: each["type"] not in _WRONG_TYPES)
    place = "".join(f"[{index}]" for index in _indices(details))
    message = details["msg"][0].lower() + details["msg"][1:]
    message = message.replace("input should be", "must be")
    if details["type"] in _WRONG_TYPES:
        kinds = dict.fromkeys(_WRONG_TYPES.get(each["type"]) for each in problems)
        message = " or ".join(kind for kind in kinds if kind)
        message = f"must be {message}" if message else "is of another type"
    hint = ""
    if details["type"] == "literal_error":
        expected = details.get("ctx", {})["expected"]
        choices = [word.strip("'") for word in re.split(", | or ", expected)]
        hint = did_you_mean(str(details["input"]), choices).split("; there is")[0]
    return f"{where}{place}={details['input']} {message}{hint}"


def _indices(details: "ErrorDetails") -> list[int]:
    return [part for part in details["loc"] if isinstance(part, int)]


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


def _signature(cls: type) -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(cls.__init__).parameters)
    parameters.pop("self", None)
    return parameters


def _hints(cls: type) -> dict[str, Any]:
    try:
        return get_type_hints(cls.__init__, include_extras=True)
    except (NameError, TypeError):  # hints that only a type checker can resolve
        return {}
