"""The space that a command's words span, in Hydra's own syntax.

optimizer.lr=tag(log,interval(1e-4,1e-1))     a float, by its logarithm
model.width=interval(8,64)                    a whole number, both ends included
model.depth=range(1,5)                        1, 2, 3, 4
data.batch_size=16,32,64                      one of these; also choice(16,32,64)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import (
    IntervalSweep,
    Override,
    RangeSweep,
    Sweep,
)

from nnlab.errors import UserError
from nnlab.overrides import parse
from nnlab.sweep.job import job_words
from nnlab.sweep.search.dimension import GRID_MOST, Dimension, Value

EXAMPLE = "'optimizer.lr=tag(log,interval(1e-4,1e-1))'"


@dataclass(frozen=True)
class Space:
    """A command's words: those that are fixed, and those that are searched."""

    parts: tuple[str | Dimension, ...]

    @property
    def dimensions(self) -> list[Dimension]:
        return [part for part in self.parts if isinstance(part, Dimension)]

    def job(self, values: Mapping[str, Value]) -> list[str]:
        """Return the words of the job with these values."""
        return [
            part if isinstance(part, str) else part.word(values[part.name])
            for part in self.parts
        ]

    def grid(self) -> list[dict[str, Value]]:
        """Return every combination of values.

        Raises:
            UserError: where there is no end of them.
        """
        points = [dimension.points() for dimension in self.dimensions]
        count = 1
        for each in points:
            count *= len(each)
        if count > GRID_MOST:
            raise UserError(
                f"sweep.sampler=grid has more than {GRID_MOST:,} combinations to try; "
                "use sweep.sampler=random, or fewer values"
            )
        names = [dimension.name for dimension in self.dimensions]
        return [dict(zip(names, point, strict=True)) for point in product(*points)]


def space_of(
    words: Sequence[str], loader: ConfigLoader, config: Mapping[str, Any]
) -> Space:
    """Return the space that the words of a command span.

    Args:
        words: of the command.
        loader: knows what `model=glob(*)` stands for.
        config: of a job without what is searched: a whole number in it stays one.

    Raises:
        UserError: where there is nothing to search, or no such interval.
    """
    own = job_words(words)
    parsed = parse(own, loader)
    parts = tuple(
        _dimension(override, word, config) if override.is_sweep_override() else word
        for override, word in zip(parsed, own, strict=True)
    )
    space = Space(parts)
    if not space.dimensions:
        raise UserError(
            f"sweep=optuna has nothing to search; give a range, as in {EXAMPLE}"
        )
    return space


def _dimension(override: Override, word: str, config: Mapping[str, Any]) -> Dimension:
    key, sweep = override.get_key_element(), override.value()
    assert isinstance(sweep, Sweep)
    log = _is_log(sweep, word)
    if isinstance(sweep, IntervalSweep):
        whole = _is_whole(config, override.key_or_group)
        return _interval(key, sweep, log=log, word=word, whole=whole)
    if isinstance(sweep, RangeSweep) and not sweep.shuffle:
        return _range(key, sweep, log=log, word=word)
    if log:
        raise UserError(f"{word}: a choice has no logarithm; leave the tag out")
    words = [str(value) for value in override.sweep_string_iterator()]
    return Dimension(key=key, words={_native(text): text for text in words})


def _interval(
    key: str, sweep: IntervalSweep, *, log: bool, word: str, whole: bool
) -> Dimension:
    low, high = sweep.start, sweep.end
    assert low is not None
    assert high is not None
    if whole and low == int(low) and high == int(high):
        low, high = int(low), int(high)
    elif not (isinstance(low, int) and isinstance(high, int)):
        low, high = float(low), float(high)
    _check_ends(low, high, log=log, word=word)
    return Dimension(key=key, low=low, high=high, log=log)


def _range(key: str, sweep: RangeSweep, *, log: bool, word: str) -> Dimension:
    if log:
        raise UserError(
            f"{word}: a range has no logarithm; write tag(log,interval(...))"
        )
    values = [_number(value) for value in sweep.range()]
    if not values:
        raise UserError(f"{word} is empty")
    low, high = min(values), max(values)
    step = abs(_number(sweep.step))
    return Dimension(key=key, low=low, high=high, step=step)


def _number(value: Any) -> float | int:
    return int(value) if isinstance(value, int) else float(value)


def _check_ends(low: float | int, high: float | int, *, log: bool, word: str) -> None:
    if low >= high:
        raise UserError(f"{word}: an interval begins below its end")
    if log and low <= 0:
        raise UserError(f"{word}: the logarithm wants an interval above 0")


def _is_whole(config: Mapping[str, Any], key: str) -> bool:
    """Tell whether the config has a whole number there."""
    node: Any = config
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return isinstance(node, int) and not isinstance(node, bool)


def _is_log(sweep: Sweep, word: str) -> bool:
    unknown = sweep.tags - {"log"}
    if unknown:
        raise UserError(
            f"{word}: no tag called {', '.join(sorted(unknown))}; there is log"
        )
    return "log" in sweep.tags


def _native(text: str) -> Value:
    """Return a number where the text is one: choices of numbers have an order."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
