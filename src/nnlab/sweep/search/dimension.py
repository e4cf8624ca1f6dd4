"""One value that is searched for: its ends or its choices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnlab.errors import UserError

Value = float | int | str
GRID_MOST = 100_000  # points


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One value that is searched for.

    Args:
        key: what it sets, `+` included.
        low, high: both ends, included; None where `words` are all there is.
        step: between values; None: any value.
        log: by the logarithm.
        words: by value, as they stand on the command line.
    """

    key: str
    low: float | int | None = None
    high: float | int | None = None
    step: float | int | None = None
    log: bool = False
    words: Mapping[Value, str] | None = None

    @property
    def name(self) -> str:
        return self.key.lstrip("+")

    def suggest(self, trial: Any) -> Value:
        """Return what an Optuna trial takes of it."""
        if self.words is not None:
            return trial.suggest_categorical(self.name, list(self.words))
        if isinstance(self.low, int):
            step = self.step or 1
            return trial.suggest_int(
                self.name, self.low, self.high, step=step, log=self.log
            )
        return trial.suggest_float(
            self.name, self.low, self.high, step=self.step, log=self.log
        )

    def word(self, value: Value) -> str:
        """Return the override that sets it."""
        said = repr(value) if self.words is None else self.words[value]
        return f"{self.key}={said}"

    def points(self) -> list[Value]:
        """Return all its values.

        Raises:
            UserError: where it has no end of them.
        """
        if self.words is not None:
            return list(self.words)
        if self.step is None and isinstance(self.low, float):
            raise UserError(
                f"sweep.sampler=grid wants values, and {self.name} is an interval; "
                f"give some: {self.name}={self.low},{self.high}"
            )
        assert self.low is not None
        assert self.high is not None
        step = self.step or 1
        count = round((self.high - self.low) / step) + 1
        return [self.low + index * step for index in range(min(count, GRID_MOST + 1))]
