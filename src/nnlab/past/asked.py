"""What a verb about past runs was asked: its own words, and settings of the runs."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import QuotedString

from nnlab.errors import UserError, did_you_mean
from nnlab.folder import RunFolder, latest_run
from nnlab.overrides import parse, with_places_quoted
from nnlab.report.run_reading import RunReading


def asked(words: Sequence[str]) -> dict[str, Any]:
    """Return `key=value` words as values by key; several of a key are a list.

    Raises:
        UserError: where a word is not a setting.
    """
    found: dict[str, Any] = {}
    for word in with_places_quoted(words):
        (override,) = parse([word])  # one at a time: `run=A run=B` is no mistake here
        key, value = override.key_or_group, override.value()
        if override.is_sweep_override():
            value = list(override.sweep_iterator())
        elif isinstance(value, QuotedString):
            value = value.text
        if key in found:
            value = [*_several(found[key]), *_several(value)]
        found[key] = value
    return found


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def check_known(verb: str, given: Mapping[str, Any], known: Collection[str]) -> None:
    """Check that a verb was asked only what it knows.

    Raises:
        UserError: naming the word that it does not.
    """
    for key in given:
        if key not in known:
            hint = did_you_mean(key, known).split("; there is")[0]
            taken = ", ".join(f"{name}=" for name in known)
            raise UserError(f"{verb} takes {taken}, not {key}={hint}")


def run_in(place: Any, key: str) -> RunReading:
    """Return the run in a folder.

    Raises:
        UserError: where there is no such folder, or no run in it.
    """
    if place == "latest":
        place = latest_run()
    folder = RunFolder.open(str(place) and Path(str(place)).expanduser(), key)
    folder.config()  # readable, and a run's
    if not isinstance(place, str):
        raise UserError(f"{key}={place} must be one run's folder")
    return RunReading(folder.path)
