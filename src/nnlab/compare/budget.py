"""Equal budgets: so many parameters, steps, or seconds for every model."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from nnlab.build import Config, build_model, facts_of, fill_facts, make
from nnlab.compose import Composer, plain
from nnlab.errors import UserError, as_typed, did_you_mean
from nnlab.numerals import counted
from nnlab.overrides import checked, parse
from nnlab.settings import check_settings

KINDS = ("parameters", "steps", "seconds")
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
HALVINGS = 50  # of the interval that the width lies in: to the last digit
TOLERANCE = 0.2  # farther off than this is no equal budget


@dataclass(frozen=True)
class Budget:
    """What every model may use; None: as much as its own settings say."""

    parameters: int | None = None
    steps: int | None = None
    seconds: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Budget":
        """Read `budget.parameters=50k`, `budget.steps=1000`, `budget.seconds=60`.

        Raises:
            UserError: where a budget is no number, or of something else.
        """
        found: dict[str, int] = {}
        for key, value in given.items():
            if key == "budget" or key.startswith("budget."):
                kind = key.removeprefix("budget").removeprefix(".")
                if not kind:
                    raise UserError(
                        f"budget={as_typed(value)} does not say of what; did you mean "
                        f"budget.parameters={as_typed(value)}?"
                    )
                if kind not in KINDS:
                    raise UserError(f"no budget of {kind!r}{did_you_mean(kind, KINDS)}")
                found[kind] = _number(key, value)
        return cls(**found)

    @property
    def said(self) -> str:
        """What each run may use, in words."""
        counts = {
            "parameter": self.parameters,
            "optimizer step": self.steps,
            "second": self.seconds,
        }
        given = [counted(n, noun) for noun, n in counts.items() if n is not None]
        return ", ".join(given) or "none: each as its own settings say"

    @property
    def words(self) -> list[str]:
        """The settings that keep every run within the steps and seconds."""
        words: list[str] = []
        if self.steps is not None or self.seconds is not None:
            words.append("trainer.max_epochs=-1")
        if self.steps is not None:
            words.append(f"trainer.max_steps={self.steps}")
        if self.seconds is not None:
            hours, rest = divmod(self.seconds, 3600)
            clock = f"{hours // 24:02}:{hours % 24:02}:{rest // 60:02}:{rest % 60:02}"
            words.append(f"trainer.max_time='{clock}'")
        return words


def _number(key: str, value: Any) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kMG]?)", str(value))
    number = int(float(match[1]) * UNITS[match[2]]) if match else 0
    if number < 1:
        raise UserError(f"{key}={value} must be a number from 1, as in 1000, 50k or 2M")
    return number


def fitted(words: Sequence[str], budget: Budget, composer: Composer) -> list[str]:
    """Return the settings that give the model of these words its parameters.

    A model's YAML says in `widths` what may be widened, and in multiples of what.

    Raises:
        UserError: where the model has no width, or none comes near the budget.
    """
    if budget.parameters is None:
        return []
    config = plain(composer.compose(checked(first_job(words), composer)))
    check_settings(config)
    name, widths = config["choices"]["model"], config.get("widths") or {}
    if not widths:
        raise UserError(
            f"model={name} has nothing to widen or narrow to budget.parameters="
            f"{budget.parameters:,}; its YAML names that in widths"
        )
    data = make(config["data"], "data", composer.plugins)
    config = {**config, "model": fill_facts(config, facts_of(data))}

    def scaled(factor: float) -> Config:
        sizes = {n: _scaled(config["model"][n], factor, m) for n, m in widths.items()}
        return {**config, "model": {**config["model"], **sizes}}

    def parameters(factor: float) -> int:
        with torch.device("meta"):  # shapes without memory
            model = build_model(scaled(factor), composer.plugins)
        return sum(p.numel() for p in model.parameters() if p.requires_grad)

    factor = _factor(parameters, budget.parameters)
    reached = parameters(factor)
    if abs(reached / budget.parameters - 1) > TOLERANCE:
        raise UserError(
            f"model={name} comes to {counted(reached, 'parameter')} at the nearest, "
            f"not near budget.parameters={budget.parameters:,}"
        )
    sizes = {n: scaled(factor)["model"][n] for n in widths}
    return [f"model.{n}={_written(size)}" for n, size in sizes.items()]


def first_job(words: Sequence[str]) -> list[str]:
    """Return a job of a sweep: of several values, the first."""
    chosen: list[str] = []
    for override, word in zip(parse(words), words, strict=True):
        if override.is_sweep_override():
            first = next(iter(override.sweep_string_iterator()))
            word = f"{override.key_or_group}={first}"
        chosen.append(word)
    return chosen


def _scaled(size: Any, factor: float, multiple: float) -> Any:
    if isinstance(size, list):
        return [_scaled(each, factor, multiple) for each in size]
    steps = max(1, round(size * factor / multiple))
    return (
        round(steps * multiple, 6) if isinstance(multiple, float) else steps * multiple
    )


def _factor(parameters: Callable[[float], int], wanted: int) -> float:
    """Return the factor whose number of parameters is nearest to the wanted one."""
    low, high = 1e-3, 1.0
    while parameters(high) < wanted and high < 1e4:
        high *= 2
    for _ in range(HALVINGS):
        middle = (low * high) ** 0.5
        if parameters(middle) < wanted:
            low = middle
        else:
            high = middle
    return min((low, high), key=lambda factor: abs(parameters(factor) - wanted))


def _written(size: Any) -> str:
    return f"[{','.join(map(str, size))}]" if isinstance(size, list) else str(size)
