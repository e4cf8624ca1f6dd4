"""A sweep's jobs that stand for all of them, where each is checked before the first."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from hydra.core.override_parser.types import IntervalSweep

from nnlab.compose import LIST_GROUPS, Composer
from nnlab.overrides import parse


def sample_jobs(overrides: Sequence[str], composer: Composer) -> Iterator[list[str]]:
    """Yield jobs with each combination of choices, and each value that may be wrong.

    Composing a job takes a tenth of a second, and a hundred seeds are no hundred ways
    to go wrong: of numbers the first, the least and the greatest stand for all.
    """
    choices: list[list[str]] = []
    values: list[list[str]] = []
    for override, word in zip(
        parse(overrides, composer.loader), overrides, strict=True
    ):
        key = override.key_or_group
        is_group = key in LIST_GROUPS or bool(composer.options(key))
        if override.is_discrete_sweep():
            given = [str(value) for value in override.sweep_string_iterator()]
            words = [
                f"{override.get_key_element()}={value}"
                for value in (given if is_group else telling(given))
            ]
            (choices if is_group else values).append(words)
        elif override.is_interval_sweep():  # its ends, where they are numbers
            ends = override.value()
            assert isinstance(ends, IntervalSweep)
            name = override.get_key_element()
            values.append([f"{name}={_end(e)}" for e in (ends.start, ends.end)])
        else:
            values.append([word])
    combinations = list(product(*choices))
    for index in range(max([len(combinations), *map(len, values)])):
        chosen = combinations[index % len(combinations)]
        yield [*chosen, *(words[index % len(words)] for words in values)]


def telling(values: Iterable[str]) -> list[str]:
    """Return the values that stand for all of them, in their order."""
    values = list(dict.fromkeys(values))
    whole = [x for x in values if _is_whole(x)]
    broken = [x for x in values if x not in whole and _is_number(x)]
    kept = {x for x in values if not _is_number(x)}
    for numbers in (whole, broken):
        if numbers:
            kept |= {numbers[0], min(numbers, key=float), max(numbers, key=float)}
    return [value for value in values if value in kept]


def _end(value: float | None) -> float | int:
    """Return an interval's end as it may have been written: 8, where Hydra says 8.0."""
    assert value is not None
    return int(value) if float(value).is_integer() else value


def _is_whole(text: str) -> bool:
    return text.lstrip("+-").isdecimal()


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
