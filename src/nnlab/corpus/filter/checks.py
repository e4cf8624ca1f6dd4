"""What `data.filter` asks for, checked before anything is written."""

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from nnlab.corpus.filter.classifier import read_run
from nnlab.corpus.filter.language import check_language, model_file
from nnlab.corpus.filter.steps import MAKERS, Maker, as_numbers, is_asked
from nnlab.errors import UserError, did_you_mean


def check_filter(config: Mapping[str, Any]) -> None:
    """Raise `UserError` where the config asks for what there is not."""
    wanted = config["language"]
    if wanted is not None:
        check_language(wanted)
        if config["filter"].get("language") is not None:
            model_file()
    low, high = config["minimum_characters"], config["maximum_characters"]
    if low is not None and high is not None and low > high:
        raise UserError(
            f"data.minimum_characters={low} is more than "
            f"data.maximum_characters={high}; no document would stay"
        )
    for name, numbers in config["filter"].items():
        if name not in MAKERS:
            hint = did_you_mean(name, MAKERS, "data.filter.")
            raise UserError(f"data.filter.{name} is no rule{hint}")
        if is_asked(name, numbers, wanted):
            _check_numbers(f"data.filter.{name}", MAKERS[name], numbers)
            if name == "classifier":
                read_run(as_numbers(numbers)["run"]).check(wanted)


def _check_numbers(where: str, maker: Maker, numbers: Any) -> None:
    if not isinstance(numbers, Mapping) and not where.endswith(".classifier"):
        raise UserError(f"{where}={numbers} is not a rule's numbers; null turns it off")
    given = as_numbers(numbers)
    parameters = {
        name: each
        for name, each in inspect.signature(maker).parameters.items()
        if name not in ("wanted", "words") or name in given
    }
    for name, value in given.items():
        if name not in parameters:
            hint = did_you_mean(name, parameters, f"{where}.")
            raise UserError(f"{where}.{name} means nothing{hint}")
        _check_value(f"{where}.{name}", parameters[name].annotation, value)
    for name in parameters:
        if name not in given:
            raise UserError(f"{where}.{name} is missing; give a value")
    low, high = given.get("minimum"), given.get("maximum")
    if low is not None and high is not None and low > high:
        raise UserError(f"{where}.minimum={low} is more than its maximum={high}")


def _check_value(where: str, hint: Any, value: Any) -> None:
    try:
        TypeAdapter(hint, config=ConfigDict(strict=True)).validate_python(value)
    except ValidationError as error:
        said = error.errors()[0]["msg"]
        said = said[0].lower() + said[1:].replace("input should be", "must be")
        said = said.replace("input should be", "must be")
        raise UserError(f"{where}={value}: {said}") from error
