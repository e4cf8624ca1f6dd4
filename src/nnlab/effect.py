"""Whether what a person sets does anything, as the run and its model are."""

from collections.abc import Mapping, Sequence
from typing import Any

from nnlab.errors import UserError

# What a class may say of its constructor: a name -> what decides whether it is used,
# and the values of that with which it is.
OnlyWith = Mapping[str, tuple[str, tuple[Any, ...]]]


def check_read(words: Sequence[str], config: Mapping[str, Any]) -> None:
    """Check that something of one run reads what was typed for it.

    Raises:
        UserError: naming the word, and what would read it.
    """
    for word in words:
        section = word.lstrip("+").partition("=")[0].partition(".")[0]
        if section == "sweep":
            raise UserError(f"{word} is for a sweep, and does nothing without -m")
        if section == "tokenizer" and "tokenizer" not in config.get("data", {}):
            data = config["choices"]["data"]
            raise UserError(f"{word} is for text, and does nothing with data={data}")


def check_effect(
    words: Sequence[str], model: object, numbers: Mapping[str, Any]
) -> None:
    """Check that each word which sets something of the model changes what is built.

    A choice among many, as a sweep makes, or an experiment's YAML, is no mistake: only
    what was typed for this one run is.

    Args:
        words: the overrides that were typed.
        model: whose class may have `only_with`.
        numbers: what the model is made of, by name.

    Raises:
        UserError: naming what would take effect.
    """
    only_with: OnlyWith = getattr(type(model), "only_with", {})
    for word in words:
        section, _, name = word.lstrip("+").partition("=")[0].partition(".")
        if section != "model" or name not in only_with:
            continue
        decider, values = only_with[name]
        chosen = numbers[decider]
        if chosen not in values:
            raise UserError(
                f"{word} does nothing with model.{decider}={chosen}"
                f"{_instead(only_with, decider, chosen)}; it is for "
                f"model.{decider}={_either(values)}"
            )


def _instead(only_with: OnlyWith, decider: str, chosen: Any) -> str:
    """Return what does something there, and nothing elsewhere."""
    names = [
        f"model.{name}"
        for name, (other, values) in only_with.items()
        if other == decider and chosen in values
    ]
    if not names:
        return ""
    return f", where {' and '.join(names)} {'do' if names[1:] else 'does'}"


def _either(values: Sequence[Any]) -> str:
    *others, last = map(str, values)
    return f"{', '.join(others)} or {last}" if others else last
