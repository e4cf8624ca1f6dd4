"""What is searched for, and how: the part of `sweep.*` that `sweep=optuna` adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from nnlab.errors import UserError
from nnlab.limits import Count, Natural
from nnlab.target import check_value

Direction = Literal["minimize", "maximize"]
HINTS: dict[str, Any] = {
    "sampler": Literal["tpe", "cmaes", "random", "grid"],
    "pruner": Literal["none", "median", "hyperband"],
    "trials": Count,
    "startup": Natural,
    "warmup": Natural,
    "seed": Natural,
}
# What a finished run says of itself besides its metrics: less is better.
OF_RESULT = ("parameters", "steps", "seconds")
LOWER = ("loss", "error", "perplexity", "nll", "bits", "distance", "fid")


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """The search's part of the section `sweep`, checked.

    Args:
        metrics: what is searched for; several are a trade-off.
        directions: minimize or maximize, one for each.
        sampler, pruner: Optuna's.
        trials: in all, of all starts of the command.
        startup: random trials before the sampler and the median pruner begin.
        warmup: validations before a trial may be pruned.
        seed: of the proposals.
    """

    metrics: tuple[str, ...]
    directions: tuple[Direction, ...]
    sampler: str
    pruner: str
    trials: int
    startup: int
    warmup: int
    seed: int

    @classmethod
    def of(cls, section: dict[str, Any], monitor: dict[str, Any]) -> Self:
        """Return the options that a config's section `sweep` says.

        Args:
            section: it.
            monitor: the run's own, searched for where nothing else is said.

        Raises:
            UserError: naming the key, the value and what would be accepted.
        """
        values = {
            name: check_value(section.get(name), hint, f"sweep.{name}")
            for name, hint in HINTS.items()
        }
        metrics = _several(section.get("metric"), "metric") or (monitor["metric"],)
        directions = _several(section.get("direction"), "direction") or tuple(
            _direction(metric, monitor) for metric in metrics
        )
        _check(metrics, directions, values)
        return cls(
            metrics=metrics,
            directions=cast("tuple[Direction, ...]", directions),
            **values,
        )


def _several(value: Any, name: str) -> tuple[str, ...]:
    if value is None:
        return ()
    given = cast("list[Any]", value if isinstance(value, list) else [value])
    if not given or not all(isinstance(each, str) for each in given):
        raise UserError(f"sweep.{name}={value} must be a name, or a list of names")
    return tuple(given)


def _direction(metric: str, monitor: dict[str, Any]) -> Direction:
    """Return the better direction of a metric that is not said to have one."""
    if metric == monitor["metric"]:
        return "minimize" if monitor["mode"] == "min" else "maximize"
    is_lower = metric in OF_RESULT or any(word in metric for word in LOWER)
    return "minimize" if is_lower else "maximize"


def _check(
    metrics: Sequence[str], directions: Sequence[str], values: dict[str, Any]
) -> None:
    """Refuse what does not go together."""
    for direction in directions:
        check_value(direction, Direction, "sweep.direction")
    if len(directions) != len(metrics):
        raise UserError(
            f"sweep.direction has {len(directions)} and sweep.metric {len(metrics)}; "
            "give one direction for each metric"
        )
    if len(set(metrics)) < len(metrics):
        raise UserError("sweep.metric names a metric twice; name each once")
    for metric in metrics:
        if metric.startswith("test/"):
            raise UserError(
                f"sweep.metric={metric} would choose by the test set, which is for the "
                f"last word; use {metric.replace('test/', 'val/', 1)}"
            )
    if len(metrics) > 1 and values["pruner"] != "none":
        raise UserError(
            f"sweep.pruner={values['pruner']} compares by one metric, and sweep.metric "
            f"names {len(metrics)}; use sweep.pruner=none"
        )
    if len(metrics) > 1 and values["sampler"] == "cmaes":
        raise UserError(
            f"sweep.sampler=cmaes searches for one metric, and sweep.metric names "
            f"{len(metrics)}; use sweep.sampler=tpe"
        )
    if values["pruner"] != "none" and metrics[0] in OF_RESULT:
        raise UserError(
            f"sweep.metric={metrics[0]} is known when a run is over; "
            "use sweep.pruner=none"
        )
