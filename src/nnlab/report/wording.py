"""Numbers, durations and references as they are said on the page and the terminal."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnlab.numerals import below_one, percent
from nnlab.report.run_reading import RunReading

GAP = "  "  # between the groups of a line
SHARES = ("accuracy", "knn_error", "share_of")  # in the names of what lies in [0, 1]


def metric_text(name: str, value: Any) -> str:
    """Return `98.91 %` for a share, four significant digits for anything else."""
    if value is None:
        return "not given"
    if not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return str(value)
    if 0 <= value <= 1 and any(part in name for part in SHARES):
        return percent(value)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return below_one(value, ".4g")


def natural_order(name: str) -> list[tuple[int, str]]:
    """Return what to sort names by, so that 64 comes before 256."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def first_fitting(lines: Sequence[Sequence[Sequence[str]]], room: int) -> str:
    """Return the first line that `room` characters hold; else the last one.

    Args:
        lines: each of groups of words; between two groups is a wide gap.
    """
    joined = [GAP.join(" ".join(group) for group in line if group) for line in lines]
    return next((line for line in joined if len(line) <= room), joined[-1])


def duration_text(seconds: float) -> str:
    """Return `0.037 s`, `8.2 s`, `3 min 20 s` or `2 h 5 min`."""
    if 0 < seconds < 0.1:
        return f"{seconds:.2g} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def facts(run: RunReading) -> dict[str, str]:
    """Return what a run took, by name, ready to be shown."""
    result = run.result
    found: dict[str, str] = {}
    if result.get("experiment"):
        found["experiment"] = str(result["experiment"])
    if result.get("seconds") is not None:
        found["time"] = duration_text(result["seconds"])
    for name in ("parameters", "epochs", "steps"):
        if result.get(name) is not None:
            found[name] = f"{result[name]:,}{_learning(result, name)}"
    for name in ("best_epoch", "seed"):
        if result.get(name) is not None:
            found[name.replace("_", " ")] = str(result[name])
    return found


def _learning(result: Mapping[str, Any], name: str) -> str:
    """Return how many of all parameters learn, where not all do."""
    learning = result.get("trainable") if name == "parameters" else None
    if learning is None or learning == result[name]:
        return ""
    return f", {learning:,} of them learn"


@dataclass(frozen=True)
class Reference:
    """A published result beside the one reached, ready to be shown."""

    metric: str
    published: str
    target: str
    reached: str
    source: str
    is_met: bool

    @property
    def verdict(self) -> str:
        return "target met" if self.is_met else "target not met"


def reference(run: RunReading) -> Reference | None:
    """Return the published result this run is compared with, if there is one."""
    given = run.result.get("reference")
    if not given:
        return None
    metric = str(given["metric"])
    sign = {"higher": "≥ ", "max": "≥ ", "lower": "≤ ", "min": "≤ "}
    target = metric_text(metric, given.get("target"))
    if given.get("target") is not None:
        target = sign.get(str(given.get("better")), "") + target
    return Reference(
        metric=metric,
        published=metric_text(metric, given.get("published")),
        target=target,
        reached=metric_text(metric, given.get("reached")),
        source=str(given.get("source") or ""),
        is_met=bool(given.get("met")),
    )


def verdict(run: RunReading) -> tuple[str, str] | None:
    """Return the one metric that says how it went: its name and value.

    The reference's, else the test accuracy, else what was monitored, else what was
    measured on the test data, the loss last, else on the validation data.
    """
    given = reference(run)
    if given:
        return given.metric, given.reached
    monitor = run.config.get("monitor") or {}
    monitored = str(monitor.get("metric", "")).rpartition("/")[2]
    order = sorted(run.metrics, key=lambda name: _weight(name, monitored))
    if not order:
        return None
    return order[0], metric_text(order[0], run.metrics[order[0]])


def _weight(name: str, monitored: str) -> tuple[bool | str, ...]:
    stage, _, short = name.partition("/")
    others = short != "accuracy", short != monitored, short == "loss"
    return stage != "test", *others, name
