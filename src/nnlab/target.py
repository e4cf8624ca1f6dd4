"""From a `_target_` to a class that may be called, its numbers checked against it."""

import importlib
import inspect
import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

from nnlab.errors import UserError, did_you_mean
from nnlab.plugins import Plugins, explain_code, trusted_roots
from nnlab.refusal import refusal

if TYPE_CHECKING:
    from pydantic import TypeAdapter
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


def takes(name: str, target: str, where: str, plugins: Plugins) -> bool:
    """Tell whether a target's constructor takes an argument of this name."""
    parameters = _signature(resolve(target, where, plugins))
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return takes_any or name in parameters


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
    from pydantic import ValidationError

    adapter = _adapter(hint)
    if adapter is None:
        return value
    candidates = [value, tuple(value)] if isinstance(value, list) else [value]
    problems: list[ErrorDetails] = []
    for candidate in candidates:
        try:
            return adapter.validate_python(candidate)
        except ValidationError as error:
            problems += error.errors()
    raise UserError(refusal(problems, hint, where))


def prepare_checks(cls: type, names: Iterable[str]) -> None:
    """Make what checks these arguments of a constructor, before they are there."""
    hints = _hints(cls)
    for name in names:
        _adapter(hints.get(name, Any))


def _adapter(hint: Any) -> "TypeAdapter[Any] | None":
    """Return what checks values against a hint; None where that says nothing of them.

    Making one takes longer than all its checks do.
    """
    try:
        return _kept_adapter(hint)
    except TypeError:  # a hint that cannot be a key
        return _new_adapter(hint)


def _new_adapter(hint: Any) -> "TypeAdapter[Any] | None":
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

    strict = ConfigDict(strict=True, arbitrary_types_allowed=True)
    try:
        return TypeAdapter(hint, config=strict)
    except (PydanticSchemaGenerationError, PydanticUserError, NameError):
        return None  # another library's, that says nothing of plain values


_kept_adapter = cache(_new_adapter)


def _signature(cls: type) -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(cls.__init__).parameters)
    parameters.pop("self", None)
    return parameters


def _hints(cls: type) -> dict[str, Any]:
    try:
        return get_type_hints(cls.__init__, include_extras=True)
    except (NameError, TypeError):  # hints that only a type checker can resolve
        return {}
